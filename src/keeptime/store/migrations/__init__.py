"""The schema's steps: NNNN_name.sql brings user_version from NNNN - 1 to NNNN. A released one never changes."""
