# One image for every part: `worker`, `beat`, `serve`, `up`, and each command of the command line.
#
#   docker build -t rotator .
#   docker run --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges \
#     -v ./rotator.toml:/etc/rotator/rotator.toml:ro -e ROTATOR_DATABASE_URL -e ROTATOR_BROKER_URL -e ROTATOR_SEAL_KEY \
#     rotator worker
#
# No secret belongs into an image: not as ARG, not as ENV, not as a file. Mount them, and name them in rotator.toml.
#
# The base is pinned by its tag alone, since a digest cannot be known without asking a registry. Pin it where you build,
# so that both stages start from bytes you have seen:  --build-arg PYTHON=python:3.11-slim@sha256:…
ARG PYTHON=python:3.11-slim

FROM ${PYTHON} AS build
WORKDIR /src
RUN python -m venv /opt/rotator
# Each package must be one whose hash we know. A mirror of your own comes in as a secret, which leaves no trace in a layer:
#   docker build --secret id=pip,src=pip.conf .
COPY lock/runtime.txt lock/
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    /opt/rotator/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --no-deps -r lock/runtime.txt
# Our own part is plain Python and YAML, so copying it is installing it: no build backend is needed here.
COPY rotator/ /src/lib/rotator/
COPY workers/ /src/lib/workers/
COPY playbooks/ /src/lib/playbooks/
RUN cp -R /src/lib/. "$(/opt/rotator/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" \
    && printf '%s\n' '#!/opt/rotator/bin/python' 'from rotator.cli.main import main' 'main()' > /opt/rotator/bin/rotator \
    && chmod 755 /opt/rotator/bin/rotator
# Compiled now, since the running container may write nowhere; and whoever breaks in finds no installer.
RUN /opt/rotator/bin/pip uninstall --yes --quiet pip setuptools \
    && /opt/rotator/bin/python -m compileall -q /opt/rotator/lib

FROM ${PYTHON}
# By number, so that a cluster can see that it is not root. Its only own folder holds the embedded ledger, if that is used.
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /var/lib/rotator --shell /usr/sbin/nologin rotator \
    && install -d -o 10001 -g 10001 -m 0700 /var/lib/rotator \
    && install -d -m 0755 /etc/rotator
# Pango sets the lines of a report as PDF, and brings one family of letters. A version that is pinned is gone from
# Debian's mirrors a week later: what holds these still is the base's digest.
# hadolint ignore=DL3008
RUN apt-get update -qq \
    && apt-get install -y -qq --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/rotator /opt/rotator
ENV PATH=/opt/rotator/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/var/lib/rotator \
    ROTATOR_DATA_DIR=/var/lib/rotator
# ./rotator.toml is found here when it is mounted; without it, the environment is the whole configuration.
WORKDIR /etc/rotator
VOLUME /var/lib/rotator
USER 10001:10001
# For `serve --host 0.0.0.0`: in a container, nobody outside reaches the default of 127.0.0.1.
EXPOSE 8420
# No HEALTHCHECK: a worker listens on nothing, and its heartbeat stands in the ledger. `serve` answers /healthz and /readyz.
ENTRYPOINT ["rotator"]
CMD ["--help"]
