/** A CRC: its reversed polynomial, and the length of its checksum in bytes. All bits are inverted before and after. */
type Crc = Readonly<{ bytes: 4 | 8; high?: number; low: number }>

/** CRC-32C, Castagnoli. */
export const crc32c = createCrc({ bytes: 4, low: 0x82f63b78 })
/** CRC-64/NVME, which new SDKs use for whole objects. */
export const crc64nvme = createCrc({ bytes: 8, high: 0x9a6c9329, low: 0xac4bc9b5 })

/** The table-driven algorithm on two halves of 32 bits, because BigInt is too slow for a body of many megabytes. */
function createCrc({ bytes, high = 0, low }: Crc): (body: Uint8Array) => Buffer {
  const highs = new Uint32Array(256)
  const lows = new Uint32Array(256)
  for (let index = 0; index < 256; index++) {
    let [h, l] = [0, index]
    for (let bit = 0; bit < 8; bit++) {
      const odd = l & 1
      l = (l >>> 1) | (h << 31)
      h >>>= 1
      if (odd) [h, l] = [h ^ high, l ^ low]
    }
    highs[index] = h
    lows[index] = l
  }
  return (body) => {
    let [h, l] = [bytes === 8 ? -1 : 0, -1]
    for (const byte of body) {
      const index = (l ^ byte) & 0xff
      l = ((l >>> 8) | (h << 24)) ^ (lows[index] ?? 0)
      h = (h >>> 8) ^ (highs[index] ?? 0)
    }
    const sum = Buffer.alloc(8)
    sum.writeInt32BE(~h, 0)
    sum.writeInt32BE(~l, 4)
    return sum.subarray(8 - bytes)
  }
}
