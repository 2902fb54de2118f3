"""Probes of kind grpc: unary calls over HTTP/2, with what their messages are built in or asked by reflection."""
