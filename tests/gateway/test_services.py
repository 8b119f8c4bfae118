import pytest

from harness.gateway.services import service_of
from harness.wire import HttpRequest

AUTHORIZATION = (
    b"AWS4-HMAC-SHA256 Credential=ASIAX/20260115/eu-west-1/events/aws4_request, SignedHeaders=host, Signature=0"
)


def a_request(
    method: str = "POST",
    query: bytes = b"",
    body: bytes = b"",
    **headers: bytes,
) -> HttpRequest:
    pairs = [(name.replace("_", "-").encode(), value) for name, value in headers.items()]
    return HttpRequest(method, b"/", query, pairs, body)


@pytest.mark.parametrize(
    ("request_", "service"),
    [
        pytest.param(a_request(authorization=AUTHORIZATION), "events", id="the scope of the signature"),
        pytest.param(
            a_request(authorization=AUTHORIZATION.replace(b"Credential=", b"Credential= ")),
            "events",
            id="white space before the credential",
        ),
        pytest.param(
            a_request(authorization=AUTHORIZATION.replace(b"/events/", b"/sts/"), x_amz_target=b"AWSEvents.PutEvents"),
            "sts",
            id="the scope comes before the target",
        ),
        pytest.param(
            a_request(
                "GET",
                query=b"Action=GetCallerIdentity&X-Amz-Credential=ASIAX%2F20260115%2Feu-west-1%2Fsts%2Faws4_request",
            ),
            "sts",
            id="the scope of a presigned request",
        ),
        pytest.param(
            a_request(authorization=AUTHORIZATION.replace(b"eu-west-1/events", b"us-east-1/iam")),
            "iam",
            id="a global service is signed for a region of its own",
        ),
        pytest.param(a_request(authorization=b"Bearer abc"), "", id="another scheme says nothing"),
        pytest.param(a_request(authorization=b"AWS4-HMAC-SHA256 Credential=ASIAX/2026"), "", id="a scope cut short"),
        pytest.param(
            a_request("GET", query=b"Action=Unsubscribe&SubscriptionArn=x"), "sns", id="an end without a word"
        ),
        pytest.param(
            HttpRequest("GET", b"/SimpleNotificationService-00.pem", b"", [], b""), "sns", id="a certificate of SNS"
        ),
        pytest.param(
            HttpRequest("POST", b"/SimpleNotificationService-00.pem", b"", [], b""), "", id="no certificate is posted"
        ),
        pytest.param(a_request(x_amz_target=b"AWSEvents.PutEvents"), "events", id="the target of an unsigned call"),
        pytest.param(a_request(x_amz_target=b"Unknown.Do"), "", id="an unknown target"),
        pytest.param(
            a_request(body=b"Action=AssumeRoleWithWebIdentity&Version=2011-06-15&WebIdentityToken=x"),
            "sts",
            id="an unsigned form with an action of STS",
        ),
        pytest.param(a_request("GET", query=b"Action=AssumeRoleWithWebIdentity"), "sts", id="the same by GET"),
        pytest.param(a_request("POST", query=b"Action=AssumeRole"), "", id="a form is in the body of a POST"),
        pytest.param(a_request(body=b"Action=DeleteEverything"), "", id="an unknown action"),
        pytest.param(a_request("GET"), "", id="nothing at all"),
    ],
)
def test_the_service_is_read_from_what_the_request_says(request_: HttpRequest, service: str) -> None:
    assert service_of(request_) == service
