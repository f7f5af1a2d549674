/**
 * Texts outside of the JavaScript heap. The garbage collector goes through the heap many times a second: with a million
 * sessions on it, that and what it pushes out of the processor's caches was a fifth of the cost of a vend.
 */
export type OffHeap = Readonly<{
  /** @returns by what it is found, until it is removed */
  add(text: string): number
  read(id: number): string
  /** The bytes are overwritten, and used again. */
  remove(id: number): void
  clear(): void
}>

const BLOCK_BYTES = 256
/** Before the text: the next block of it or of the free ones, and how long the text is. Both of 32 bits. */
const NEXT = 0
const LENGTH = 4
const TEXT = 8
const TEXT_BYTES = BLOCK_BYTES - TEXT
/** So many are got at a time, and never given back: they are a MiB. */
const SEGMENT_BLOCKS = 4096

/** What a text of so many bytes takes, in bytes. */
export const offHeapBytes = (length: number): number => Math.ceil(length / TEXT_BYTES) * BLOCK_BYTES

/** Memory in blocks of one size, which cannot be fragmented; a text is in as many as it needs, each naming the next. */
export function createOffHeap(): OffHeap {
  const segments: Buffer[] = []
  /** Numbers of blocks begin at 1: 0 is none. */
  let free = 0

  const segmentOf = (block: number): Buffer => {
    const segment = segments[Math.floor(block / SEGMENT_BLOCKS)]
    if (!segment) throw new RangeError('no such block')
    return segment
  }
  const offsetOf = (block: number) => (block % SEGMENT_BLOCKS) * BLOCK_BYTES
  const word = (block: number, at: number) => segmentOf(block).readUInt32LE(offsetOf(block) + at)
  const setWord = (block: number, at: number, value: number) =>
    segmentOf(block).writeUInt32LE(value, offsetOf(block) + at)

  function grow(): void {
    const first = segments.length * SEGMENT_BLOCKS
    segments.push(Buffer.alloc(SEGMENT_BLOCKS * BLOCK_BYTES))
    for (let block = first + SEGMENT_BLOCKS - 1; block >= Math.max(first, 1); block--) {
      setWord(block, NEXT, free)
      free = block
    }
  }

  function take(): number {
    if (free === 0) grow()
    const block = free
    free = word(block, NEXT)
    return block
  }

  return {
    add(text) {
      const bytes = Buffer.from(text)
      const id = take()
      setWord(id, LENGTH, bytes.length)
      for (let block = id, at = 0; ; at += TEXT_BYTES) {
        bytes.copy(segmentOf(block), offsetOf(block) + TEXT, at, at + TEXT_BYTES)
        const next = at + TEXT_BYTES < bytes.length ? take() : 0
        setWord(block, NEXT, next)
        if (next === 0) return id
        block = next
      }
    },
    read(id) {
      const bytes = Buffer.allocUnsafe(word(id, LENGTH))
      for (let block = id, at = 0; block !== 0; block = word(block, NEXT), at += TEXT_BYTES) {
        const from = offsetOf(block) + TEXT
        segmentOf(block).copy(bytes, at, from, from + TEXT_BYTES)
      }
      return bytes.toString()
    },
    remove(id) {
      for (let block = id, next = 0; block !== 0; block = next) {
        next = word(block, NEXT)
        segmentOf(block).fill(0, offsetOf(block), offsetOf(block) + BLOCK_BYTES)
        setWord(block, NEXT, free)
        free = block
      }
    },
    clear() {
      segments.length = 0
      free = 0
    },
  }
}
