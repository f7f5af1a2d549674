import { z } from 'zod'
import { parseYaml } from '../../src/config/yaml.ts'
import type { ShippedPackage } from './packages.ts'

const reason = z.string().min(20, 'must say why, in 20 characters or more')
const rulesSchema = z.strictObject({
  allowed: z.record(z.string().regex(/^[\w.+-]+$/u, 'is not an SPDX id'), reason),
  packages: z.record(z.string(), z.strictObject({ version: z.string(), licence: z.string(), reason })),
  carried: z.record(
    z.string(),
    z.array(z.strictObject({ name: z.string(), licence: z.string(), copyright: z.string() })).min(1),
  ),
})

/** Which licences may ship, and why. */
export type LicenceRules = z.output<typeof rulesSchema>

/** Reads the allow-list. @throws {z.ZodError} if it has another form, or a missing reason */
export const readRules = (yaml: string): LicenceRules => rulesSchema.parse(parseYaml(yaml, 'core'))

/** The licence that counts for each package, and everything that keeps the packages from shipping. */
export type LicenceReport = Readonly<{
  licences: ReadonlyMap<ShippedPackage, string>
  faults: readonly string[]
}>

/** Checks every package against the allow-list. */
export function checkLicences(packages: readonly ShippedPackage[], rules: LicenceRules): LicenceReport {
  const licences = new Map<ShippedPackage, string>()
  const faults: string[] = []
  for (const one of packages) {
    const { name, version } = one
    const exception = rules.packages[name]
    const licence = exception?.version === version ? exception.licence : one.licence
    licences.set(one, licence ?? 'none')
    if (licence === undefined) faults.push(`${name} ${version} names no licence`)
    else if (!isAllowed(licence, rules))
      faults.push(`${name} ${version} has the licence ${licence}, which is not allowed`)
    else if (!hasText(one) && !hasStandardText(licence))
      faults.push(`${name} ${version} has no text of its licence ${licence}`)
    for (const { name: inner, licence } of rules.carried[name] ?? []) {
      if (!isAllowed(licence, rules))
        faults.push(`${inner} in ${name} has the licence ${licence}, which is not allowed`)
    }
  }
  const unused = (known: readonly string[], what: string) =>
    known
      .filter((name) => !packages.some((one) => one.name === name))
      .map((name) => `${what} ${name}, which does not ship`)
  const stale = Object.entries(rules.packages)
    .filter(
      ([name, { version }]) =>
        packages.some((one) => one.name === name) &&
        !packages.some((one) => one.name === name && one.version === version),
    )
    .map(([name, { version }]) => `packages is about ${name} ${version}, which is no longer the version`)
  return {
    licences,
    faults: [
      ...faults,
      ...stale,
      ...unused(Object.keys(rules.packages), 'packages names'),
      ...unused(Object.keys(rules.carried), 'carried names'),
    ],
  }
}

/**
 * Whether an SPDX expression is allowed: one of `A OR B`, all of `A AND B`. An expression that mixes or nests them is not
 * read, so it is refused, and an exception must choose.
 */
export function isAllowed(expression: string, { allowed }: LicenceRules): boolean {
  const inner = /^\(([^()]*)\)$/u.exec(expression)?.[1] ?? expression
  const [either, all] = [inner.split(' OR '), inner.split(' AND ')]
  const known = (id: string) => Object.hasOwn(allowed, id)
  return all.length > 1 ? all.every(known) : either.some(known) && either.every((id) => /^[\w.+-]+$/u.test(id))
}

const hasText = ({ texts }: ShippedPackage): boolean => texts.some(({ path }) => /licen[cs]e|copying/iu.test(path))

/** Some packages forget the text of their licence, although it must go with the code. */
const hasStandardText = (licence: string): boolean => licence === 'MIT' || licence === 'Apache-2.0'

const RULE = '-'.repeat(80)

/**
 * The licences of all packages as one text, to go with the code: the bundle has their code, and not their files.
 * @param apache the text of the Apache License
 */
export function thirdPartyLicences({ licences }: LicenceReport, { carried }: LicenceRules, apache: string): string {
  const sections = [...licences].map(([one, licence]) => {
    const { name, version, author, texts } = one
    const own = texts.map(({ path, text }) => `[${path}]\n\n${text.trim()}`)
    const standard = licence === 'MIT' ? mit(author ?? `the authors of ${name}`) : SEE_BELOW
    const others = (carried[name] ?? []).map(
      ({ name: inner, licence, copyright }) => `It has code of ${inner}: ${licence}. ${copyright}\n${SEE_BELOW}`,
    )
    return [`${name} ${version}: ${licence}`, ...own, ...(hasText(one) ? [] : [standard]), ...others].join('\n\n')
  })
  return [INTRODUCTION, ...sections, `Apache License 2.0\n\n${apache.trim()}`].join(`\n\n${RULE}\n\n`).concat('\n')
}

const INTRODUCTION = `oss-vend contains the packages below. Each has its own licence, whose text follows its name.
Made by \`npm run licences\`.`
const SEE_BELOW = 'The text of the Apache License 2.0 is at the end.'

const mit = (holder: string) => `Copyright (c) ${holder}

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`
