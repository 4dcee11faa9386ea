# Built in one image, run in a smaller one.
FROM rust:1.95-slim-bookworm AS build
# SQLite and jemalloc are compiled from their C sources.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev make \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --locked --profile dist --bin replyd \
    && cp target/dist/replyd /usr/local/bin/replyd

FROM debian:bookworm-slim
# The gateway's certificate is checked against these.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && install --directory --owner=65532 --group=65532 /data /etc/replyd
COPY --from=build /usr/local/bin/replyd /usr/local/bin/replyd
USER 65532:65532
# /etc/replyd holds replyd.toml and rules.toml; /data the database and the files that people send: nothing else is ever written.
WORKDIR /etc/replyd
VOLUME /data
ENV REPLYD__SERVER__LISTEN=0.0.0.0:8080 \
    REPLYD__DATABASE__URL=sqlite:/data/replyd.db \
    REPLYD__MEDIA__FOLDER=/data/media
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=10s --retries=3 CMD ["replyd", "healthcheck"]
ENTRYPOINT ["replyd"]
CMD ["serve"]
