import { keep, recall } from '@/lib/keep'

const KEY = 'model-heritage.tour'
const DONE = 'done'

/** The tour is shown until it was closed once, and again when somebody asks for it. */
export const isTourOver = (): boolean => recall(KEY) === DONE

export const endTour = (): void => keep(KEY, DONE)

export const restartTour = (): void => keep(KEY, null)
