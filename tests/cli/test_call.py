"""`harness call`: what is sent, what is printed, and the exit code."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.local.edge import Edge

ORDER = '{"lines": [{"sku": "chair-oak", "quantity": 1}]}'
AS = ["--as", "storefront"]


class TestBody:
    def test_of_the_option_is_json(self, run: Run, running: Edge) -> None:
        run("call", "orders", "POST", "/v2/orders", *AS, "--data", ORDER)

        ((path, headers, body),) = running.requests
        assert (running.methods, path, body) == (["POST"], "/v2/orders", ORDER.encode())
        assert headers["content-type"] == "application/json"
        assert headers["x-apigw-api-id"] == "orders"

    def test_of_a_file_is_sent_byte_for_byte(self, run: Run, running: Edge, tmp_path: Path) -> None:
        file = tmp_path / "order.bin"
        file.write_bytes(b"\xff\x00\r\n")

        run("call", "orders", "PUT", "/v2/orders", *AS, "-d", f"@{file}")

        assert running.requests[0][2] == b"\xff\x00\r\n"

    def test_of_standard_input_is_sent_byte_for_byte(self, run: Run, running: Edge) -> None:
        run("call", "orders", "POST", "/v2/orders", *AS, "--data", "-", stdin=b"\xff\x00\r\n")

        assert running.requests[0][2] == b"\xff\x00\r\n"

    def test_that_is_not_given_is_none(self, run: Run, running: Edge) -> None:
        run("call", "orders", "GET", "/v2/orders", *AS)

        ((_, headers, body),) = running.requests
        assert body == b""
        assert "content-type" not in headers

    def test_may_have_another_type(self, run: Run, running: Edge) -> None:
        run(
            "call", "orders", "PATCH", "/v2/orders", *AS, "-d", "{}", "-H", "content-type: application/merge-patch+json"
        )

        assert running.requests[0][1]["content-type"] == "application/merge-patch+json"


class TestRequest:
    def test_has_the_headers_that_were_given(self, run: Run, running: Edge) -> None:
        run("call", "orders", "GET", "/v2/orders", *AS, "-H", "X-One: 1", "--header", "x-two:two: 2 ", "-H", "X-One: b")

        headers = running.requests[0][1]
        assert headers["x-one"] == "1, b"
        assert headers["x-two"] == "two: 2"

    def test_has_the_path_and_query_as_typed(self, run: Run, running: Edge) -> None:
        run("call", "orders", "get", "/v2/orders/a%2Fb?limit=5&q=a%20b", *AS)

        assert running.methods == ["GET"]
        assert running.requests[0][0] == "/v2/orders/a%2Fb?limit=5&q=a%20b"

    def test_goes_to_the_workbench_whatever_the_path(self, run: Run, running: Edge) -> None:
        run("call", "orders", "GET", "//elsewhere.invalid/v2", *AS)

        assert len(running.requests) == 1


class TestAnswer:
    def test_is_printed_whole(self, run: Run, running: Edge) -> None:
        running.body, running.headers = b'{"id":"1","name":"\xc3\xa9"}', (("X-Amzn-RequestId", "r-1"),)

        done = run("call", "orders", "GET", "/v2/orders", *AS)

        head, _, body = done.out.partition("\n\n")
        assert head.splitlines()[0] == "200 OK"
        assert "X-Amzn-RequestId: r-1" in head.splitlines()
        assert body == '{\n  "id": "1",\n  "name": "é"\n}\n'
        assert (done.code, done.err) == (0, "")

    def test_that_is_no_json_is_printed_as_it_is(self, run: Run, running: Edge) -> None:
        running.body = b"plain\ntext"

        assert run("call", "orders", "GET", "/v2/orders", *AS).out.endswith("\n\nplain\ntext\n")

    def test_may_be_one_json_object(self, run: Run, running: Edge) -> None:
        running.status, running.body, running.headers = 201, b'{"id":"1"}', (("X-Amzn-RequestId", "r-1"),)

        answer = json.loads(run("call", "orders", "GET", "/v2/orders", *AS, "--json").out)

        assert (answer["status"], answer["body"]) == (201, {"id": "1"})
        assert answer["headers"]["X-Amzn-RequestId"] == "r-1"

    @pytest.mark.parametrize(("status", "code"), [(200, 0), (204, 0), (307, 0), (399, 0), (400, 1), (403, 1), (503, 1)])
    def test_decides_the_exit_code(self, status: int, code: int, run: Run, running: Edge) -> None:
        running.status = status

        assert run("call", "orders", "GET", "/v2/orders", *AS).code == code
        assert run("call", "orders", "GET", "/v2/orders", *AS, "--json").code == code

    def test_that_redirects_is_shown_and_not_followed(self, run: Run, running: Edge) -> None:
        running.status, running.headers = 307, (("Location", "http://elsewhere.invalid/"),)

        assert "Location: http://elsewhere.invalid/" in run("call", "orders", "GET", "/v2/orders", *AS).out
        assert len(running.requests) == 1

    def test_that_does_not_come_is_told_in_one_line(self, run: Run, running: Edge) -> None:
        running.broken = True

        done = run("call", "orders", "GET", "/v2/orders", *AS)

        assert (done.code, done.out) == (1, "")
        assert done.err.startswith("harness: http://127.0.0.1:")
        assert done.err.count("\n") == 1
