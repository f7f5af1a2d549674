import { PodMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PodMonitor'
import { PrometheusRule } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule'
import { Deployment } from 'kubernetes-models/apps/v1/Deployment'
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler'
import { Ingress } from 'kubernetes-models/networking.k8s.io/v1/Ingress'
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy'
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget'
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap'
import { Namespace } from 'kubernetes-models/v1/Namespace'
import { Service } from 'kubernetes-models/v1/Service'
import { ServiceAccount } from 'kubernetes-models/v1/ServiceAccount'

const models = [
  ConfigMap,
  Deployment,
  HorizontalPodAutoscaler,
  Ingress,
  Namespace,
  NetworkPolicy,
  PodDisruptionBudget,
  PodMonitor,
  PrometheusRule,
  Service,
  ServiceAccount,
]

/** What is wrong with a manifest by the schemas of the Kubernetes API and the Prometheus operator. */
export function faultsOf(manifest: object): string[] {
  const { apiVersion, kind } = { apiVersion: '', kind: '', ...manifest }
  const model = models.find((one) => one.apiVersion === apiVersion && one.kind === kind)
  if (!model) return [`there is no schema for ${apiVersion} ${kind}`]
  const read = new Set<string>()
  try {
    model.prototype.validate.call(watched(manifest, '', read))
  } catch (error) {
    return [String(error)]
  }
  // The schemas allow further members, and the API server drops them in silence: a security setting with a typing error
  // would be no setting. A member that a schema knows is one that its validator reads.
  return pathsOf(manifest, '')
    .filter((path) => !read.has(path))
    .map((path) => `${path} is unknown`)
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

/** The same value, which notes the path of each member that is read. */
function watched<T extends object>(value: T, path: string, read: Set<string>): T {
  return new Proxy(value, {
    get(target, key) {
      const member = `${path}/${String(key)}`
      read.add(member)
      const found: unknown = Reflect.get(target, key)
      return isObject(found) ? watched(found, member, read) : found
    },
  })
}

const pathsOf = (value: object, path: string): string[] =>
  Object.entries(value).flatMap(([name, member]) => [
    `${path}/${name}`,
    ...(isObject(member) ? pathsOf(member, `${path}/${name}`) : []),
  ])
