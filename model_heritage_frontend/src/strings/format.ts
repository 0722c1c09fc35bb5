/** The small words beside numbers and times. A translation is another object of this type. */
export const formatWords = {
  /** What numbers, dates and lists are written for. */
  locale: 'en',
  justNow: 'just now',
  fewSeconds: 'a few seconds',
  second: 'second',
  minute: 'minute',
  hour: 'hour',
  least: '<0.1 s',
  seconds: (count: string): string => `${count} s`,
  minutes: (count: number): string => `${count} min`,
  scalar: 'scalar',
} as const
