"""An answer is read whole, also by who is still sending when it comes."""

import socket
import time

from serving import running


def test_who_is_refused_early_hears_why(tmp_path) -> None:
    with running(tmp_path, max_upload_gb=0.001) as studio:
        host, port = studio.url.removeprefix("http://").split(":")
        for length, code in ((200_000, b"token"), (3_000_000, b"size")):
            head = ["PUT /v1/uploads HTTP/1.1", f"Host: {host}:{port}", f"Content-Length: {length}"]
            if code == b"token":
                head.append("Authorization: Bearer wrong")
            with socket.create_connection((host, int(port)), timeout=30) as sender:
                sender.sendall("\r\n".join([*head, "", ""]).encode())
                time.sleep(0.2)  # it is refused meanwhile
                for _ in range(length // 100_000):
                    sender.sendall(bytes(100_000))
                answer = b""
                while piece := sender.recv(65536):
                    answer += piece
            assert b'{"code": "' + code + b'"' in answer
        # Who never ends is not waited for.
        with socket.create_connection((host, int(port)), timeout=30) as sender:
            sender.sendall("\r\n".join([*head[:2], "Content-Length: 9999999", "", ""]).encode())
            assert sender.recv(12) == b"HTTP/1.1 413"
            began = time.monotonic()
            while sender.recv(65536):
                pass
            try:
                while time.monotonic() < began + 20:
                    sender.sendall(b"x")
                    time.sleep(0.1)
            except OSError:
                pass
            else:
                raise AssertionError("it is still listened to")
