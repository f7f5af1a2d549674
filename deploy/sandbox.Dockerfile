# The sandbox: a JD Cloud to try the service on, for compose.yaml. Its keys are public, so never let others reach it.
ARG NODE_IMAGE=node:24-bookworm-slim
FROM ${NODE_IMAGE}
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY sandbox ./sandbox
# A volume that is mounted here takes over the owner.
RUN install -d -o 1000 -g 1000 /run/sandbox
USER 1000:1000
CMD ["node", "sandbox/commands/container.ts", "/run/sandbox"]
