"""The same contract for Prometheus, Alertmanager, Grafana, OpenSLO and Sloth. (Not built yet.)"""
