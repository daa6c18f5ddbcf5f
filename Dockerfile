# The production service: without the sandbox and the demo, as an unprivileged user.
#
# Untested: no image has been built from this file yet. Please report problems.
#
#   docker build -t topup .
#   docker run --rm topup --help

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
# This image includes the C compiler that SQLite and the TLS library need.
RUN cargo build --release --locked --no-default-features --features otel --bin topup \
    && mkdir -p /out/data && cp target/release/topup /out/topup

# This image has the C library and CA certificates, and no shell.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /out/topup /usr/local/bin/topup
# Contains sqlite:topup.db, unless DATABASE_URL says otherwise: mount a volume here.
COPY --from=build --chown=nonroot:nonroot /out/data /data
WORKDIR /data
VOLUME /data
# With PORT the service listens on all addresses; a hosting platform may set another port.
ENV PORT=8080
EXPOSE 8080
USER nonroot
# SIGTERM stops it gracefully; allow a minute (docker stop --timeout 60).
ENTRYPOINT ["/usr/local/bin/topup"]
CMD ["serve"]
