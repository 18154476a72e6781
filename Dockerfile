# Debian's CPython and the official images are built with optimisations; keep it so: the gateway is 1.5 times as fast on them.
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml requirements.lock README.md ./
COPY protocol protocol
COPY routing routing
COPY smppgw smppgw
# What is used besides the rest: --build-arg EXTRAS= leaves it out.
ARG EXTRAS=postgres,otel
RUN python -m venv /opt/smppgw \
 && /opt/smppgw/bin/pip install --no-cache-dir -c requirements.lock ".[$EXTRAS]" \
 && /opt/smppgw/bin/python -m compileall -q /opt/smppgw/lib

FROM python:3.11-slim-bookworm
COPY --from=build /opt/smppgw /opt/smppgw
# Examples only: a gateway with a known password must not start by itself. Mount yours as /etc/smppgw/gateway.toml.
COPY conf LICENSE README.md /usr/share/doc/smppgw/
RUN useradd --system --uid 2775 --home-dir /var/lib/smppgw --create-home --shell /usr/sbin/nologin smppgw
ENV PATH=/opt/smppgw/bin:$PATH PYTHONUNBUFFERED=1
USER smppgw
# `data/` of the configuration is in here: keep it on a volume, it holds every message under way.
WORKDIR /var/lib/smppgw
VOLUME /var/lib/smppgw
EXPOSE 2775 9464
# [http] of the configuration: the check runs inside the container, so 127.0.0.1 is enough.
ENV SMPPGW_HEALTH=http://127.0.0.1:9464/health
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(os.environ['SMPPGW_HEALTH'], timeout=2)"]
# SIGTERM drains; give it longer than [gateway] drain: docker stop --time 30.
STOPSIGNAL SIGTERM
ENTRYPOINT ["smppgw"]
CMD ["serve", "--config", "/etc/smppgw/gateway.toml"]
