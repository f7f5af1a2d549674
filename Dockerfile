# Node 24, which the tests run on as well as on the oldest supported one. Pin it by digest where you build for production.
ARG NODE_IMAGE=node:24-bookworm-slim

# Exactly what the lockfile says, without running anybody's install scripts.
FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts

FROM dependencies AS build
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
COPY routes ./routes
RUN npm run build
# A licence that is not on the list ends the build. The bundle has the code of its packages without their files.
COPY scripts ./scripts
COPY LICENSE ./
RUN npm run licences -- --write THIRD-PARTY-LICENCES && npm run --silent sbom >sbom.cdx.json

FROM dependencies AS production
RUN npm prune --omit=dev --ignore-scripts

# The sandbox, the tests and the compiler stay behind.
FROM ${NODE_IMAGE}
# OPS_HOST is as open as HOST: a container's loopback is reached by nobody outside of it, the metrics collector included.
# Nothing listens there until OPS_PORT is set; publish that port on the operator's network alone.
# NODE_ENV=production also switches /docs and /openapi.json off, unless DOCS_ENABLED=true.
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 OPS_HOST=0.0.0.0
WORKDIR /app
COPY --from=production /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY --from=build /app/LICENSE /app/THIRD-PARTY-LICENCES /app/sbom.cdx.json ./
COPY package.json ./
COPY policies ./policies
# By number, so that Kubernetes can see that it is not root. Nothing is written: run it with a read-only root.
USER 1000:1000
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/livez').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Without a command it serves; `policies lint /policies` and the others are in it as well.
ENTRYPOINT ["node", "--enable-source-maps", "dist/src/main.js"]
CMD []
