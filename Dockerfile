# Doorward's production image. Runs as user 10001 on a read-only root file system; what it writes
# goes to /var/lib/doorward and /tmp. docs/how-to/run-with-compose.md shows it at work.
ARG PYTHON_IMAGE=python:3.11.15-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
# For a build without the public index: --build-arg PIP_INDEX_URL=…, or PIP_NO_INDEX=1 and
# PIP_FIND_LINKS=…. Unset they change nothing, and this stage is not part of the result.
ARG PIP_INDEX_URL
ARG PIP_NO_INDEX
ARG PIP_FIND_LINKS
WORKDIR /build
RUN python3 -m venv /opt/doorward
ENV PATH=/opt/doorward/bin:$PATH PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1

# Wheels only: nothing that is downloaded runs during the build.
COPY requirements.txt ./
RUN pip install --require-hashes --only-binary :all: -r requirements.txt

COPY LICENSE README.md pyproject.toml setup.cfg ./
COPY templates templates
COPY static static
COPY idp idp
RUN pip wheel --no-index --no-deps --no-build-isolation --wheel-dir dist . \
 && pip install --no-index --no-deps dist/*.whl \
 && pip uninstall --yes setuptools pip

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="Doorward" \
      org.opencontainers.image.description="OAuth 2.0 and OpenID Connect authorization server" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --gid 10001 doorward \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/doorward \
            --shell /usr/sbin/nologin doorward \
 && install -d -m 0700 -o doorward -g doorward \
            /var/lib/doorward /var/lib/doorward/data /var/lib/doorward/keys
COPY --from=build /opt/doorward /opt/doorward
ENV PATH=/opt/doorward/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    IDP_DATA_DIR=/var/lib/doorward/data \
    IDP_KEYS_DIR=/var/lib/doorward/keys
USER 10001:10001
WORKDIR /var/lib/doorward
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["python3", "-m", "idp.cli.health"]
CMD ["idp", "serve", "--host", "0.0.0.0", "--port", "8000"]
