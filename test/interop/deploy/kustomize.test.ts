import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseAllDocuments } from 'yaml'
import { faultsOf } from '../../deploy/schema.ts'
import { skipWithout } from '../clients/client.ts'
import { run } from './tool.ts'

const skip = skipWithout('kustomize', 'version')
const folder = join(import.meta.dirname, '../../../deploy/kubernetes')

const render = (overlay: string) =>
  parseAllDocuments(run('kustomize', 'build', join(folder, overlay))).map((document) => document.toJS())

test('the example renders to objects that the schemas of the API accept', { skip }, () => {
  const objects = render('example')
  assert.deepEqual(objects.map(({ kind }) => kind).sort(), [
    'ConfigMap',
    'ConfigMap',
    'Deployment',
    'HorizontalPodAutoscaler',
    'Ingress',
    'Namespace',
    'NetworkPolicy',
    'PodDisruptionBudget',
    'PodMonitor',
    'Service',
    'ServiceAccount',
  ])
  for (const object of objects) {
    assert.deepEqual(faultsOf(object), [], object.kind)
    if (object.kind !== 'Namespace') assert.equal(object.metadata.namespace, 'oss-vend', object.kind)
  }
})

test('the pods of the example have its image, its settings and its templates', { skip }, () => {
  const objects = render('example')
  const [policies, settings] = ['oss-vend-policies', 'oss-vend-settings'].map((name) =>
    objects.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.startsWith(name)),
  )
  const pod = objects.find(({ kind }) => kind === 'Deployment').spec.template.spec
  const [container] = pod.containers
  assert.equal(container.image, 'registry.example.com/oss-vend:0.1.0')
  assert.equal(container.envFrom[0].configMapRef.name, settings.metadata.name)
  assert.equal(pod.volumes[1].configMap.name, policies.metadata.name)
  assert.deepEqual(Object.keys(policies.data), ['user-upload.yaml'])
  assert.equal(settings.data.OSS_BUCKET, 'test-app', 'a setting of the example')
  assert.equal(settings.data.OPS_PORT, '9464', 'a setting of the base')
})

test('the patches of the example arrive', { skip }, () => {
  const objects = render('example')
  const specOf = (wanted: string) => objects.find(({ kind }) => kind === wanted).spec
  const metrics = specOf('HorizontalPodAutoscaler').metrics
  assert.deepEqual(
    metrics.map(({ type }: { type: string }) => type),
    ['Resource', 'Pods'],
  )
  assert.deepEqual(specOf('NetworkPolicy').egress[2].to, [{ ipBlock: { cidr: '10.0.0.0/24' } }])
  assert.equal(specOf('Ingress').ingressClassName, 'example')
})
