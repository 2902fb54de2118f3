"""Real gRPC servers (grpcio) on loopback, and one of bare HTTP/2 frames that does as it is told."""

import socket
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import grpc
from google.protobuf import descriptor_pb2
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from keeptime.observe.grpc import protocols
from keeptime.observe.grpc.methods import message_of

Call = Callable[[Message, grpc.ServicerContext], Message]


def shop_files() -> list[descriptor_pb2.FileDescriptorProto]:
    """A service whose messages stand in another file."""
    words = descriptor_pb2.FileDescriptorProto(name="shop/words.proto", package="shop", syntax="proto3")
    for name in ("Wish", "Goods"):
        message = words.message_type.add(name=name)
        message.field.add(name="item_name", number=1, type=9, label=1)
        message.field.add(name="count", number=2, type=5, label=1)
    service = descriptor_pb2.FileDescriptorProto(
        name="shop/shop.proto", package="shop", syntax="proto3", dependency=["shop/words.proto"]
    )
    shop = service.service.add(name="Shop")
    shop.method.add(name="Buy", input_type=".shop.Wish", output_type=".shop.Goods")
    shop.method.add(name="Watch", input_type=".shop.Wish", output_type=".shop.Goods", server_streaming=True)
    return [words, service]


SHOP = {name: message_of(shop_files(), f"shop.{name}") for name in ("Wish", "Goods")}
INFER = {
    name: message_of([protocols.inference()], f"inference.{name}")
    for name in ("ModelInferRequest", "ModelInferResponse", "ModelReadyRequest", "ModelReadyResponse")
}


def sells(asked: Message, _context: grpc.ServicerContext) -> Message:
    return SHOP["Goods"](item_name=asked.item_name.upper(), count=asked.count)  # type: ignore[attr-defined]


def ready(asked: Message, _context: grpc.ServicerContext) -> Message:
    return INFER["ModelReadyResponse"](ready=asked.name == "m")  # type: ignore[attr-defined]


def _handlers(call: Call, asked: type[Message]) -> grpc.RpcMethodHandler:
    return grpc.unary_unary_rpc_method_handler(
        call,
        request_deserializer=asked.FromString,
        response_serializer=lambda message: message.SerializeToString(),
    )


REFLECTION = {
    name: message_of([protocols.reflection()], f"grpc.reflection.v1.{name}")
    for name in ("ServerReflectionRequest", "ServerReflectionResponse")
}


def _one_by_one(
    questions: Iterator[Message], _context: grpc.ServicerContext, lost: frozenset[str] = frozenset()
) -> Iterator[Message]:
    """Reflection v1 of the kind that gives each file alone, as the protocol allows."""
    files = {each.name: each.SerializeToString() for each in shop_files() if each.name not in lost}
    for asked in questions:
        name = asked.file_by_filename or "shop/shop.proto"  # type: ignore[attr-defined]
        if name in files:
            given = {"file_descriptor_response": {"file_descriptor_proto": [files[name]]}}
        else:
            given = {"error_response": {"error_code": 5, "error_message": f"{name} is not here"}}  # type: ignore[dict-item]
        yield REFLECTION["ServerReflectionResponse"](**given)


def v1(lost: frozenset[str] = frozenset()) -> grpc.GenericRpcHandler:
    handler = grpc.stream_stream_rpc_method_handler(
        partial(_one_by_one, lost=lost),
        request_deserializer=REFLECTION["ServerReflectionRequest"].FromString,
        response_serializer=lambda message: message.SerializeToString(),
    )
    name = "grpc.reflection.v1.ServerReflection"
    return grpc.method_handlers_generic_handler(name, {"ServerReflectionInfo": handler})


@contextmanager
def serving_grpc(
    *,
    buy: Call = sells,
    infer: Call | None = None,
    healthy: bool = True,
    reflecting: bool = True,
    credentials: grpc.ServerCredentials | None = None,
    options: Sequence[tuple[str, object]] = (),
    compression: grpc.Compression | None = None,
    more: Sequence[grpc.GenericRpcHandler] = (),
) -> Iterator[int]:
    """A port with the health service, the shop, and inference where there is one."""
    server = grpc.server(ThreadPoolExecutor(4), options=list(options), compression=compression)
    checks = health.HealthServicer()
    state = health_pb2.HealthCheckResponse.SERVING if healthy else health_pb2.HealthCheckResponse.NOT_SERVING
    checks.set("", state)
    checks.set("shop.Shop", state)
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    shop = {"Buy": _handlers(buy, SHOP["Wish"])}
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("shop.Shop", shop), *more])
    if infer is not None:
        handlers = {
            "ModelInfer": _handlers(infer, INFER["ModelInferRequest"]),
            "ModelReady": _handlers(ready, INFER["ModelReadyRequest"]),
        }
        server.add_generic_rpc_handlers(
            [grpc.method_handlers_generic_handler("inference.GRPCInferenceService", handlers)]
        )
    if reflecting:
        pool = DescriptorPool()
        for each in shop_files():
            pool.Add(each)
        reflection.enable_server_reflection(["shop.Shop", reflection.SERVICE_NAME], server, pool=pool)
    address = "127.0.0.1:0"
    port = server.add_secure_port(address, credentials) if credentials else server.add_insecure_port(address)
    server.start()
    try:
        yield port
    finally:
        server.stop(None).wait()


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """One frame of HTTP/2."""
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


SETTINGS = frame(4, 0, 0)
RST, GOAWAY, DATA = 3, 7, 0


def headers(flags: int = 4, *fields: tuple[str, str]) -> bytes:
    """Header fields, each without compression (RFC 7541, 6.2.2)."""
    block = b"".join(
        b"\x00" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()
        for name, value in fields
    )
    return frame(1, flags, 1, block)


ANSWERS = headers(4, (":status", "200"), ("content-type", "application/grpc"))
OK_TRAILERS = headers(5, ("grpc-status", "0"))
IS_SERVING = b"\0\0\0\0\x02\x08\x01"


def saying(*frames: bytes) -> Callable[[socket.socket], None]:
    """Reads the call, then sends these bytes and waits for the other side to close."""

    def script(sock: socket.socket) -> None:
        sock.recv(65536)
        sock.sendall(b"".join(frames))
        while sock.recv(65536):
            pass

    return script
