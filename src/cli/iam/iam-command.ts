import { readTargetsWithoutKeys, readTargetWithoutKeys, type TargetConfig } from '../../config/targets.ts'
import { CatalogueError, loadCatalogue } from '../../policy/check/catalogue.ts'
import { CommandError, type Io, writeJson } from '../io.ts'
import { lintSettings, templatesDirectory } from '../settings.ts'
import { DOCUMENTS, type DocumentName, documentsOf, ofTarget, type RoleDocuments } from './roles.ts'
import { showDocuments } from './show.ts'

export type IamOptions = Readonly<{
  dir?: string
  issuer?: readonly string[]
  targets?: string
  target?: string
  document?: DocumentName
  user?: string
  json?: boolean
}>

/**
 * `iam`: the policies of the role and of the sub-user, for the configured account, bucket and templates. Documents go to
 * standard output, all words to standard error, so that a document can be piped or pasted.
 */
export async function iamCommand(io: Io, options: IamOptions): Promise<0> {
  const { document, user, target } = options
  const configs = configuredTargets(io, options)
  const settings = lintSettings(io.env, options)
  const catalogue = await soundCatalogue(options.dir ?? templatesDirectory(io.env), settings)
  const all = documentsOf({ configs, settings, catalogue, user })
  const chosen = target === undefined ? all : ofTarget(all, target)
  if (options.json) writeJson(io, { roles: chosen.map((one) => asJson(one, document)) })
  else {
    if (document !== undefined && chosen.length > 1) {
      const names = chosen.map(({ targets: [first] }) => first).join(', ')
      throw new CommandError(`there are ${chosen.length} roles: choose one by --target, such as one of ${names}`, 2)
    }
    for (const one of chosen) {
      const documents = document === undefined ? DOCUMENTS : [document]
      showDocuments(io, one, documents, user, Boolean(options.targets ?? io.env.TARGETS_FILE))
    }
  }
  return 0
}

/** A role that no template uses needs no permissions, and its document is null. */
function asJson({ trust, permissions, user, ...about }: RoleDocuments, document: DocumentName | undefined) {
  const all = { role: () => permissions ?? null, trust, user: () => user }
  const names = document === undefined ? DOCUMENTS : [document]
  return { ...about, documents: Object.fromEntries(names.map((name) => [name, all[name]()])) }
}

/** An invented account would be pasted into a console, so these must be set, unlike for the checks of templates. */
function configuredTargets({ env }: Io, { targets = env.TARGETS_FILE }: IamOptions): readonly TargetConfig[] {
  const faults: string[] = []
  const report = (variable: string, rule: string, remedy: string) => {
    faults.push(`${variable}: ${rule} (${remedy})`)
  }
  const one = targets ? undefined : readTargetWithoutKeys(env, report)
  const read = targets ? readTargetsWithoutKeys(targets, report) : one ? [one] : []
  if (faults.length > 0) throw new CommandError(faults.join('\n'), 2)
  return read
}

async function soundCatalogue(directory: string, settings: Parameters<typeof loadCatalogue>[1]) {
  try {
    return (await loadCatalogue(directory, settings)).catalogue
  } catch (error) {
    if (error instanceof CatalogueError) throw new CommandError(error.message, 1)
    throw error
  }
}
