import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'

const FOLDER = 'deploy/kubernetes'

const manifest = z.looseObject({ apiVersion: z.string(), kind: z.string() })

/** A file below deploy/kubernetes that holds one object of the API. */
export type Manifest = Readonly<{ file: string; content: z.infer<typeof manifest> }>

/** All of them, without what only kustomize reads. */
export const manifests = (): Manifest[] =>
  readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.yaml') && basename(file) !== 'kustomization.yaml' && !/\bpolicies\b/u.test(file))
    .sort()
    .map((file) => ({ file, content: manifest.parse(parse(readFileSync(join(FOLDER, file), 'utf8'))) }))

/** The settings of a file in the form `NAME=value`, as kustomize and Compose read them. */
export function settingsIn(file: string): Record<string, string> {
  const lines = readFileSync(file, 'utf8').split('\n')
  return Object.fromEntries(
    lines.filter((line) => line !== '' && !line.startsWith('#')).map((line) => line.split(/=(.*)/su).slice(0, 2)),
  )
}

const deployment = z.looseObject({
  spec: z.looseObject({
    template: z.looseObject({
      metadata: z.looseObject({ labels: z.record(z.string(), z.string()) }),
      spec: z.looseObject({
        automountServiceAccountToken: z.boolean(),
        terminationGracePeriodSeconds: z.number(),
        securityContext: z.unknown(),
        volumes: z.array(z.looseObject({ name: z.string() })),
        containers: z.tuple([
          z.looseObject({
            env: z.array(z.strictObject({ name: z.string(), value: z.string() })),
            ports: z.array(z.looseObject({ name: z.string(), containerPort: z.number() })),
            resources: z.looseObject({ limits: z.looseObject({ memory: z.string() }) }),
            securityContext: z.unknown(),
            startupProbe: z.unknown(),
            livenessProbe: z.unknown(),
            readinessProbe: z.unknown(),
            volumeMounts: z.array(z.looseObject({ name: z.string(), mountPath: z.string() })),
          }),
        ]),
      }),
    }),
  }),
})

/** The pod of the Deployment. */
export const podTemplate = () =>
  deployment.parse(parse(readFileSync(join(FOLDER, 'base/deployment.yaml'), 'utf8'))).spec.template
