/** A number for people: with thousands separators, and three significant digits below 1,000. */
export const figure = (value: number): string =>
  value >= 1000
    ? value.toLocaleString('en-GB', { maximumFractionDigits: 0 })
    : value.toLocaleString('en-GB', { maximumSignificantDigits: 3 })

/** A share from 0 to 1 in per cent. Only exactly 0 and 1 print as 0 % and 100 %. */
export function percent(share: number): string {
  if (share > 0 && share < 0.0001) return '< 0.01 %'
  if (share < 1 && share > 0.9999) return '> 99.99 %'
  return `${(share * 100).toLocaleString('en-GB', { maximumFractionDigits: share < 0.01 ? 2 : 1 })} %`
}
