# The edge and the router, and the one-time step that makes their keys. Build context: the repository.
FROM python:3.12-slim
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY docker/edge.lock /tmp/edge.lock
RUN pip install --quiet --no-cache-dir --require-hashes --requirement /tmp/edge.lock && rm /tmp/edge.lock
COPY harness /app/harness
RUN python -m compileall -q /app/harness && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin harness
ENV PYTHONPATH=/app
WORKDIR /landscape
USER 10001
ENTRYPOINT ["python", "-m", "harness.local", "container"]
