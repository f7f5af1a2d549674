import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { z } from 'zod'
import { readConfig } from '../../src/config/config.ts'
import { settings } from '../../src/config/settings.ts'
import { build, SENTINELS } from '../helpers/build.ts'
import { claims, ISSUER, mint } from '../helpers/tokens.ts'
import { manifests, podTemplate, settingsIn } from './manifests.ts'
import { faultsOf } from './schema.ts'

const all = manifests()
const contentOf = (kind: string) => all.find(({ content }) => content.kind === kind)?.content
const { metadata, spec: pod } = podTemplate()
const [container] = pod.containers

/** What the pods read: the settings of the base, with those of the example. */
const given = {
  ...settingsIn('deploy/kubernetes/base/settings.env'),
  ...settingsIn('deploy/kubernetes/example/settings.env'),
}

t.test('each manifest is what the schemas of the API say', async (t) => {
  t.ok(all.length >= 9, 'there are manifests')
  for (const { file, content } of all) t.strictSame(faultsOf(content), [], file)
})

t.test('a wrong type and a member with a typing error are found', async (t) => {
  const row = (text: string) => faultsOf(parse(text))
  t.match(row('{ apiVersion: v1, kind: Service, spec: { ports: [{ port: http }] } }'), [/must be integer/u])
  t.strictSame(
    row(
      '{ apiVersion: v1, kind: Service, spec: { ports: [{ port: 80, targetport: http }], selector: { any: name } } }',
    ),
    ['/spec/ports/0/targetport is unknown'],
  )
  t.strictSame(row('{ apiVersion: v2, kind: Service }'), ['there is no schema for v2 Service'])
})

t.test('a pod may do no more than it needs', async (t) => {
  t.match(pod.securityContext, { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } })
  t.strictSame(container.securityContext, {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  })
  t.equal(pod.automountServiceAccountToken, false)
  t.match(contentOf('ServiceAccount'), { automountServiceAccountToken: false })
  t.match(contentOf('Namespace'), { metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } } })
  t.notOk(
    container.env.some(({ name }) => /KEY|SECRET|TOKEN|PASSWORD|REDIS/u.test(name)),
    'secrets are in files, never in the environment',
  )
})

t.test('probes ask the ops listener, for what they decide', async (t) => {
  const port = 'ops'
  t.match(container.startupProbe, { httpGet: { path: '/livez', port } })
  t.match(container.livenessProbe, { httpGet: { path: '/livez', port } })
  t.match(container.readinessProbe, { httpGet: { path: '/readyz', port } })
})

t.test('the objects agree on labels and ports', async (t) => {
  const labels = { 'app.kubernetes.io/name': 'oss-vend' }
  t.strictSame(metadata.labels, labels)
  t.match(contentOf('Service'), { spec: { selector: labels, ports: [{ targetPort: 'http' }] } })
  t.match(contentOf('PodDisruptionBudget'), { spec: { maxUnavailable: 1, selector: { matchLabels: labels } } })
  t.match(contentOf('NetworkPolicy'), { spec: { podSelector: { matchLabels: labels } } })
  t.match(contentOf('PodMonitor'), {
    spec: { selector: { matchLabels: labels }, podMetricsEndpoints: [{ port: 'ops' }] },
  })
  t.match(contentOf('HorizontalPodAutoscaler'), { spec: { minReplicas: 2, scaleTargetRef: { name: 'oss-vend' } } })
  const ports = Object.fromEntries(container.ports.map(({ name, containerPort }) => [name, String(containerPort)]))
  t.strictSame(ports, { http: '3000', ops: given.OPS_PORT })
  t.match(readFileSync('Dockerfile', 'utf8'), /\bPORT=3000\b/u, 'the image listens there')
})

t.test('the network policy keeps the ops port for the collector, and the machine’s metadata server out', async (t) => {
  const from = (name: string) => [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } } }]
  t.match(contentOf('NetworkPolicy'), {
    spec: {
      policyTypes: ['Ingress', 'Egress'],
      ingress: [
        { from: from('ingress'), ports: [{ port: 'http' }] },
        { from: from('monitoring'), ports: [{ port: 'ops' }] },
      ],
      egress: [
        {},
        { to: [{ ipBlock: { except: ['169.254.0.0/16'] } }], ports: [{ port: 443 }] },
        { ports: [{ port: 6379 }] },
      ],
    },
  })
})

t.test('memory: the heap, the limit of the pod and the point of shedding fit', async (t) => {
  const [, limit] = /^(\d+)Gi$/u.exec(container.resources.limits.memory) ?? []
  const limitMiB = Number(limit) * 1024
  const [, heap] =
    /^--max-old-space-size=(\d+)$/u.exec(container.env.find(({ name }) => name === 'NODE_OPTIONS')?.value ?? '') ?? []
  t.ok(Number(heap) <= limitMiB * 0.75, 'a quarter is left for what is not on the heap')
  t.ok(Number(heap) >= Number(settings.CACHE_MAX_MB.default) * 2, 'a full cache fits')
  t.ok(Number(given.OVERLOAD_RSS_MB) <= limitMiB * 0.9, 'requests are shed before the kernel ends the process')
})

t.test('a pod has longer to end than the process takes', async (t) => {
  const [, ms] = /SHUTDOWN_MS = (\d+)/u.exec(readFileSync('src/main.ts', 'utf8')) ?? []
  t.ok(pod.terminationGracePeriodSeconds * 1000 > Number(ms) + 1000)
})

t.test('each setting exists, and the service accepts them all', async (t) => {
  const known = new Set([...Object.keys(settings)])
  for (const name of Object.keys(given)) t.ok(known.has(name.replace(/_FILE$/u, '')), name)
  t.ok(container.volumeMounts.some(({ mountPath }) => mountPath === given.POLICIES_DIR))
  const secrets = mkdtempSync(join(tmpdir(), 'oss-vend-'))
  const contents = new Map([
    ['jdcloud-access-key', SENTINELS.stsAccessKey],
    ['jdcloud-secret-key', SENTINELS.stsSecretKey],
    ['redis-url', 'rediss://:password@redis.example.com:6379'],
    ['cache-encryption-key', Buffer.from('0f9ddc27a6b1458e8c3b7d2e5a4f6019', 'latin1').toString('base64')],
  ])
  const environment: Record<string, string> = { ...given }
  for (const [name, path] of Object.entries(given)) {
    if (!name.endsWith('_FILE')) continue
    t.ok(path.startsWith('/secrets/'), `${name} is in the mounted folder`)
    environment[name] = join(secrets, basename(path))
    writeFileSync(join(secrets, basename(path)), contents.get(basename(path)) ?? '')
  }
  t.match(readConfig(environment), { opsPort: 9464, shutdownDelayMs: 4000, redis: {} })
})

t.test('the template of the example is loaded with the settings of the example, and vends', async (t) => {
  const { JDCLOUD_ACCOUNT_ID, OSS_REGION, OSS_BUCKET } = given
  const { app } = await build(t, {
    env: { JDCLOUD_ACCOUNT_ID, OSS_REGION, OSS_BUCKET, POLICIES_DIR: 'deploy/kubernetes/example/policies' },
  })
  const answer = await app.inject({
    method: 'POST',
    url: '/v1/credentials',
    headers: { authorization: `Bearer ${mint(claims({ iss: ISSUER }))}` },
    payload: { policy: 'user-upload' },
  })
  t.equal(answer.statusCode, 200)
})

t.test('the autoscaler’s metric is the one that the adapter serves', async (t) => {
  const rules = z.looseObject({ rules: z.looseObject({ custom: z.array(z.looseObject({ seriesQuery: z.string() })) }) })
  const [rule] = rules.parse(parse(readFileSync('deploy/prometheus/adapter.yaml', 'utf8'))).rules.custom
  const component = readFileSync('deploy/kubernetes/components/scale-on-vends/kustomization.yaml', 'utf8')
  const [, metric = ''] = /metric: \{ name: (\w+) \}/u.exec(component) ?? []
  t.match(rule?.seriesQuery, metric)
  t.match(component, `averageValue: "${Number(settings.STS_CONNECTIONS.default) / 2}"`)
})
