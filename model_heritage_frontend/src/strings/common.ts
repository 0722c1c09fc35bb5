import { formatNumber, plural } from '@/lib/format'

/** What parts of many pages say. A translation is another object of this type. */
export const commonWords = {
  confidence: {
    howLikelyThisIs: 'How likely this is the true parent, if that one is among the models here',
    confidence: 'confidence',
  },
  evidenceList: {
    noOtherModelHere: 'No other model here could be the parent.',
    nextBestParent: 'Next best parent:',
    behind: 'behind)',
    measuredSignals: 'Measured signals',
    decidedBy: 'Decided by',
    changedTensors: 'Changed tensors',
  },
  originSentence: {
    runnerUp: '; runner-up:',
  },
  statedBadge: {
    statedBy: 'Stated by',
  },
  states: {
    tryAgain: 'Try again',
    request: 'Request',
    loading: 'Loading',
  },
  statusBadge: {
    processing: 'Processing',
    error: 'Error',
    ready: 'Ready',
  },
  deletion: {
    looking: 'what depends on it',
    title: 'What that means',
    models: (models: number, bytes: string): string =>
      `${plural(models, 'model')} of ${bytes} are deleted.`,
    children: (models: number): string =>
      `The parents of ${plural(models, 'other model')} are sought again:`,
    more: (models: number): string => `and ${formatNumber(models)} more`,
    statements: (statements: number): string =>
      `With them go ${plural(statements, 'correction')} by people.`,
  },
  alertDialog: {
    cancel: 'Cancel',
  },
  dialog: {
    close: 'Close',
  },
  copyButton: {
    overHttps: 'This browser allows copying only over https or on localhost.',
    refused: 'The browser did not allow copying.',
    copied: 'Copied',
    copy: (what: string): string => `Copy ${what}`,
  },
  browserTab: (title: string): string =>
    title === '' ? 'Model Heritage' : `${title} · Model Heritage`,
  errors: {
    wrong: 'Something went wrong',
    status: (status: number): string => `The server answered with status ${status}`,
    unreachable: 'The server cannot be reached',
    noAnswer: 'No answer came from the Model Heritage server. Is it running?',
    upload: 'The upload failed',
  },
} as const
