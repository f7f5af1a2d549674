import type { Test } from 'tap'

/** What is got by `Buffer.alloc` from now on, as it is got. */
export function memoryOf(t: Test): readonly Buffer[] {
  const got: Buffer[] = []
  const { alloc } = Buffer
  t.teardown(() => Object.assign(Buffer, { alloc }))
  Object.assign(Buffer, {
    alloc(size: number) {
      const buffer = alloc(size)
      got.push(buffer)
      return buffer
    },
  })
  return got
}
