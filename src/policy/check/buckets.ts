import { createFolders, type Folders } from './lint/colliding-folders.ts'
import type { LintSettings, LintSubject } from './lint/rule.ts'

/** One target for each bucket: people who share a bucket must not meet in it, whichever role their sessions have. */
export const distinctBuckets = (targets: readonly LintSettings[]) => [
  ...new Map(targets.map((target) => [target.bucket, target])).values(),
]

/** Each finding once, however many buckets it is about. */
export const distinct = <T>(findings: readonly T[]): T[] => [
  ...new Map(findings.map((finding) => [JSON.stringify(finding), finding])).values(),
]

/**
 * The folders of each bucket: they collide with those of the same bucket only. Buckets are told apart by name, whatever
 * their store: a collision too many costs a new folder name, one too few would be a leak.
 */
export function createBuckets() {
  const buckets = new Map<string, Folders>()
  return {
    add(subject: LintSubject) {
      const { bucket } = subject.settings
      const folders = buckets.get(bucket) ?? createFolders()
      buckets.set(bucket, folders)
      return folders.add(subject)
    },
    shared() {
      const found = new Map([...buckets.values()].flatMap((folders) => [...folders.shared()]))
      return (subject: LintSubject) => found.get(subject) ?? []
    },
  }
}
