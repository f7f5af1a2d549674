import fc from 'fast-check'
import t from 'tap'
import { createOffHeap, offHeapBytes } from '../../src/sessions/off-heap.ts'
import { memoryOf } from '../helpers/memory.ts'

t.test('what is read is what was added, whatever was added and removed meanwhile', (t) => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    // Around the ends of blocks, and over several.
    fc.integer({ min: 0, max: 1100 }).map((length) => 'x'.repeat(length)),
    fc.integer({ min: 60, max: 140 }).map((length) => '世'.repeat(length)),
  )
  const step = fc.oneof(fc.record({ add: text }), fc.record({ remove: fc.nat() }), fc.constant('clear' as const))
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const texts = createOffHeap()
      const model = new Map<number, string>()
      for (const step of steps) {
        if (step === 'clear') {
          texts.clear()
          model.clear()
        } else if ('add' in step) {
          const id = texts.add(step.add)
          if (model.has(id)) throw new Error('the name of another')
          model.set(id, step.add)
        } else {
          const id = [...model.keys()][step.remove % model.size]
          if (id === undefined) continue
          texts.remove(id)
          model.delete(id)
        }
        for (const [id, want] of model) if (texts.read(id) !== want) throw new Error(`another text at ${id}`)
      }
    }),
  )
  t.end()
})

t.test('what was removed is used again, so that memory grows to what is held at a time', (t) => {
  const segments = memoryOf(t)
  const texts = createOffHeap()
  // 20 MB over time, 1 MB at a time: four blocks for each text, all full.
  let held: number[] = []
  for (let round = 0; round < 20; round++) {
    for (const id of held) texts.remove(id)
    held = Array.from({ length: 1000 }, (_, index) => texts.add(`${round}-${index} `.padEnd(992, '.')))
  }
  t.match(texts.read(held[999] ?? 0), /^19-999 \.+$/u)
  t.equal(segments.length, 1)
  t.end()
})

t.test('what was removed is not to be found in memory', (t) => {
  const segments = memoryOf(t)
  const texts = createOffHeap()
  const id = texts.add('SENTINEL-secret'.repeat(50))
  const holds = () => segments.some((segment) => segment.includes('SENTINEL'))
  t.equal(holds(), true)
  texts.remove(id)
  t.equal(holds(), false)
  t.end()
})

t.test('what a text takes is told', (t) => {
  for (const [length, want] of [
    [1, 256],
    [248, 256],
    [249, 512],
    [992, 1024],
  ] as const)
    t.equal(offHeapBytes(length), want, String(length))
  t.end()
})
