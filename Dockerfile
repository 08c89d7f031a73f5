# syntax=docker/dockerfile:1
# Labial's server and command line, on a CPU. docs/deploy.md tells how it is used, and what a
# variant for NVIDIA needs.

FROM python:3.12-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY labial ./labial
# "text" brings eSpeak NG, which speaks scripts and is GPL-3: leave it out where that matters.
ARG EXTRAS=serve,postgres,s3,text
RUN python -m venv /opt/labial && /opt/labial/bin/pip install ".[${EXTRAS}]"
# Models are in the image: containers start without a network, and their files stay read-only.
# More names, such as kokoro and a voice, may be given; "labial weights list" tells them.
ARG WEIGHTS=""
RUN LABIAL_CACHE=/opt/cache /opt/labial/bin/labial weights fetch ${WEIGHTS} \
    && LABIAL_CACHE=/opt/cache /opt/labial/bin/labial weights verify ${WEIGHTS}

FROM python:3.12-slim-bookworm
RUN groupadd --gid 10001 labial \
    && useradd --uid 10001 --gid labial --no-create-home --home-dir /data --shell /usr/sbin/nologin labial \
    && install -d -o labial -g labial /data
COPY --from=build /opt/labial /opt/labial
COPY --from=build /opt/cache /opt/cache
# What was seen of a video is kept for its next dub; the rest of this folder is nobody's to write.
RUN install -d -o labial -g labial /opt/cache/seen
ENV PATH=/opt/labial/bin:$PATH \
    LABIAL_CACHE=/opt/cache \
    LABIAL_OFFLINE=1 \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /data
VOLUME ["/data"]
EXPOSE 8420
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8420/healthz', timeout=4)"]
ENTRYPOINT ["labial"]
CMD ["serve", "--host", "0.0.0.0", "--data", "/data", "--logs", "json"]
