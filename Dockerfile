FROM node:24-bookworm-slim

WORKDIR /easel

# The packages come first and by themselves, so that a change of the program does not fetch them again.
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev && npm cache clean --force

COPY src src

# Only this directory is ever written to. It belongs to the image's ordinary user, and so does a volume that begins here.
RUN install --directory --owner=node --group=node --mode=0700 /data
VOLUME /data

# The two settings of the C library keep memory from being held back after large pictures: see "Memory" in README.md.
ENV NODE_ENV=production \
    DATA_DIR=/data \
    HTTP_HOST=0.0.0.0 \
    HTTP_PORT=8080 \
    MALLOC_ARENA_MAX=2 \
    MALLOC_MMAP_THRESHOLD_=131072

USER node
EXPOSE 8080
STOPSIGNAL SIGTERM

# Connecting to Discord may take half a minute, and the server that answers here starts after it.
HEALTHCHECK --start-period=60s --interval=30s --timeout=5s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.HTTP_PORT}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]

CMD ["node", "--disable-warning=ExperimentalWarning", "src/main.ts"]
