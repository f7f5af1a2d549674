import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import type { Test } from 'tap'
import type { Reload } from '../../src/policy/check/catalogue.ts'
import type { LintSettings } from '../../src/policy/check/lint/rule.ts'
import { createLivePolicies } from '../../src/reload/policies.ts'
import { settings, templateText } from '../helpers/templates.ts'

export const lintSettings: LintSettings = { ...settings, issuers: ['app'] }
export const good = (description = 'd') => templateText({ description })
export const BAD = 'description: [\n'

/** Live templates of a directory, with one word for the result of each load. */
export async function live(directory: string, settings = lintSettings) {
  const reloads: Reload[] = []
  const policies = await createLivePolicies(
    directory,
    settings,
    (reload) => reloads.push(reload),
    () => 0,
  )
  return {
    ...policies,
    reloads,
    outcomes: () => reloads.map(({ outcome }) => outcome),
    /** The descriptions of the templates in use, by name. */
    served: () => Object.fromEntries([...policies.current()].map(([name, { description }]) => [name, description])),
    /** Looks like the timer until the set has settled. */
    settle: async () => {
      await policies.look('clock')
      await policies.look('clock')
    },
  }
}

/** A directory as the kubelet writes a ConfigMap: files link through `..data`, which links to a folder. */
export function configMap(t: Test, files: Record<string, string>) {
  const directory = t.testdir({ '..1': files })
  symlinkSync('..1', `${directory}/..data`)
  for (const file of Object.keys(files)) symlinkSync(`..data/${file}`, `${directory}/${file}`)
  let version = 1
  return {
    directory,
    swap(files: Record<string, string>) {
      const folder = `..${++version}`
      mkdirSync(`${directory}/${folder}`)
      for (const [file, text] of Object.entries(files)) writeFileSync(`${directory}/${folder}/${file}`, text)
      symlinkSync(folder, `${directory}/..data_tmp`)
      renameSync(`${directory}/..data_tmp`, `${directory}/..data`)
      rmSync(`${directory}/..${version - 1}`, { recursive: true })
    },
  }
}
