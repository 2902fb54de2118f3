"""Which variables nginx' `log_format` and Envoy's access log have, from their documentation.

Guarantees: names alone; those of families (headers, cookies) are not listed.
"""

import re

NGINX = frozenset(
    re.findall(
        r"\w+",
        """
args body_bytes_sent bytes_sent connection connection_requests connection_time content_length content_type
document_uri gzip_ratio host hostname http_host http_referer http_user_agent http_x_forwarded_for https
is_args limit_rate msec nginx_version pid pipe proxy_add_x_forwarded_for proxy_host proxy_port
proxy_protocol_addr query_string realpath_root remote_addr remote_port remote_user request request_body
request_completion request_filename request_id request_length request_method request_time request_uri scheme
server_addr server_name server_port server_protocol status time_iso8601 time_local upstream_addr
upstream_bytes_received upstream_bytes_sent upstream_cache_status upstream_connect_time
upstream_first_byte_time upstream_header_time upstream_response_length upstream_response_time
upstream_status uri
        """,
    )
)
ENVOY = frozenset(
    re.findall(
        r"\w+",
        """
BYTES_RECEIVED BYTES_SENT CLUSTER_METADATA COMMON_DURATION CONNECTION_ID CONNECTION_TERMINATION_DETAILS
DOWNSTREAM_DIRECT_REMOTE_ADDRESS DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT DOWNSTREAM_HANDSHAKE_DURATION
DOWNSTREAM_LOCAL_ADDRESS DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT DOWNSTREAM_LOCAL_PORT DOWNSTREAM_PEER_SUBJECT
DOWNSTREAM_REMOTE_ADDRESS DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT DOWNSTREAM_REMOTE_PORT
DOWNSTREAM_TLS_CIPHER DOWNSTREAM_TLS_VERSION DOWNSTREAM_WIRE_BYTES_RECEIVED DOWNSTREAM_WIRE_BYTES_SENT
DURATION DYNAMIC_METADATA EMIT_TIME ENVIRONMENT FILTER_CHAIN_NAME FILTER_STATE GRPC_STATUS
GRPC_STATUS_NUMBER HOSTNAME LOCAL_REPLY_BODY METADATA PATH PROTOCOL QUERY_PARAM REQ REQUESTED_SERVER_NAME
REQUEST_DURATION REQUEST_HEADERS_BYTES REQUEST_TX_DURATION REQ_WITHOUT_QUERY RESP RESPONSE_CODE
RESPONSE_CODE_DETAILS RESPONSE_DURATION RESPONSE_FLAGS RESPONSE_FLAGS_LONG RESPONSE_HEADERS_BYTES
RESPONSE_TRAILERS_BYTES RESPONSE_TX_DURATION ROUNDTRIP_DURATION ROUTE_NAME START_TIME STREAM_ID TRACE_ID
TRAILER UNIQUE_ID UPSTREAM_CLUSTER UPSTREAM_CLUSTER_RAW UPSTREAM_CONNECTION_POOL_READY_DURATION
UPSTREAM_HOST UPSTREAM_HOST_NAME UPSTREAM_LOCAL_ADDRESS UPSTREAM_METADATA UPSTREAM_PROTOCOL
UPSTREAM_REMOTE_ADDRESS UPSTREAM_REQUEST_ATTEMPT_COUNT UPSTREAM_TRANSPORT_FAILURE_REASON
UPSTREAM_WIRE_BYTES_RECEIVED UPSTREAM_WIRE_BYTES_SENT VIRTUAL_CLUSTER_NAME
        """,
    )
)
