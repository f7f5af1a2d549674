import { z } from 'zod'
import type { ShippedPackage } from './packages.ts'

const componentSchema = z.looseObject({
  'bom-ref': z.string(),
  name: z.string(),
  version: z.string(),
  externalReferences: z.array(z.looseObject({ type: z.string(), url: z.string() })).optional(),
})
type Component = z.output<typeof componentSchema>

const sbomSchema = z.looseObject({
  bomFormat: z.literal('CycloneDX'),
  metadata: z.looseObject({ component: componentSchema }),
  components: z.array(componentSchema),
  dependencies: z.array(z.looseObject({ ref: z.string(), dependsOn: z.array(z.string()) })),
})

/**
 * Makes the bill of materials of the shipped packages from npm's own of all packages. npm's `--omit=dev` also leaves out
 * packages that ship and are somebody's development dependency as well.
 *
 * npm adds the address that each package came from, which can be an internal registry: name, version and hash identify a
 * package without it. npm names the product after the folder.
 * @throws {Error} if npm's output has another form, or lacks a package
 */
export function shippedSbom(
  output: string,
  shipped: readonly Pick<ShippedPackage, 'name' | 'version'>[],
  product: string,
): string {
  const { metadata, components, dependencies, ...rest } = sbomSchema.parse(JSON.parse(output))
  const wanted = new Set(shipped.map(idOf))
  const kept = components.filter((one) => wanted.has(idOf(one)))
  const found = new Set(kept.map(idOf))
  const missing = [...wanted].filter((id) => !found.has(id))
  if (missing.length > 0) throw new Error(`npm sbom has no ${missing.join(', ')}`)

  const root = { ...withoutOrigin(metadata.component), name: product }
  const refs = new Set([root, ...kept].map((one) => one['bom-ref']))
  const edges = dependencies
    .filter(({ ref }) => refs.has(ref))
    .map(({ dependsOn, ...edge }) => ({ ...edge, dependsOn: dependsOn.filter((ref) => refs.has(ref)) }))
  const sbom = { ...rest, metadata: { ...metadata, component: root }, components: kept.map(withoutOrigin) }
  return `${JSON.stringify({ ...sbom, dependencies: edges }, null, 2)}\n`
}

const idOf = ({ name, version }: Pick<Component, 'name' | 'version'>) => `${name}@${version}`

const withoutOrigin = ({ externalReferences = [], ...component }: Component) => ({
  ...component,
  externalReferences: externalReferences.filter(({ type }) => type !== 'distribution'),
})
