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
  alertDialog: {
    cancel: 'Cancel',
  },
  dialog: {
    close: 'Close',
  },
} as const
