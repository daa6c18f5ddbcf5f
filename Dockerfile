# The service for production: without the sandbox and the demo, as an unprivileged user.
#
# Untried: this file was written without a machine that builds images. If something in it is wrong, please say so.
#
#   docker build -t topup .
#   docker run --rm topup --help

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
# The image brings the C compiler that SQLite and the TLS library need.
RUN cargo build --release --locked --no-default-features --bin topup \
    && mkdir -p /out/data && cp target/release/topup /out/topup

# Has the C library and certificate authorities, and no shell.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /out/topup /usr/local/bin/topup
# Where sqlite:topup.db is, unless DATABASE_URL says otherwise: keep this folder on a volume.
COPY --from=build --chown=nonroot:nonroot /out/data /data
WORKDIR /data
VOLUME /data
# Listens on all addresses; a hosting platform sets another one.
ENV PORT=8080
EXPOSE 8080
USER nonroot
# SIGTERM stops it gracefully; give it a minute (docker stop --timeout 60).
ENTRYPOINT ["/usr/local/bin/topup"]
CMD ["serve"]
