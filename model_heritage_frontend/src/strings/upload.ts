/** What adding and looking up models says. A translation is another object of this type. */
export const uploadWords = {
  dropAnywhere: {
    dropToAdd: 'Drop to add',
    itsFamilyAndParent: 'Its family and parent are read from its weights',
  },
  fileDropZone: {
    safetensorsPytorchPtPth:
      'safetensors, PyTorch (.pt, .pth, .ckpt, .bin), GGUF, NumPy (.npz), or a model’s .zip – up to 5 GB each, parts of one model together',
    chooseFiles: 'Choose files',
  },
  identifiedCard: {
    theSameFileIs: 'The same file is here already:',
    openTheModel: 'open the model',
    noneOfTheModels: 'None of the models here is related to this file.',
    itBelongsTo: 'It belongs to',
    and: 'and',
    more: 'more',
    lookedUpNotStored: 'Looked up, not stored',
    parent: 'Parent',
    modelsHereThatWould: 'Models here that would descend from it',
    addItAfterAll: 'Add it after all',
  },
  uploadFailure: {
    alreadyHere: 'Already here',
    openTheModelThat: 'Open the model that is here',
    changeWhatIsSaid: 'Change what is said',
    tryAgain: 'Try again',
    request: 'Request',
  },
  uploadFields: {
    name: 'Name',
    sayMore: 'Say more',
    description: 'Description',
    licence: 'Licence',
    suchAsApache2: 'Such as apache-2.0',
    tags: 'Tags',
    withCommasBetweenThem: 'With commas between them',
    saidToComeFrom: 'Said to come from',
    aModelHereOr: 'A model here or on the hub. Compared with the weights, never taken for true.',
  },
  uploadForm: {
    onlyTellMeWhere: 'Only tell me where it belongs; keep nothing',
    clearFinished: 'Clear finished',
    lookUp: 'Look up',
    add: 'Add',
  },
  uploadIndicator: {
    running: 'running',
  },
  uploadProgress: {
    of: 'of',
    pause: 'Pause',
    pausedWhatHasArrived: 'Paused. What has arrived is kept.',
    resume: 'Resume',
  },
  uploadResultCard: {
    parameters: 'parameters',
    openModel: 'Open model',
    seeItInIts: 'See it in its family',
  },
  uploadRow: {
    waitingForItsTurn: 'Waiting for its turn…',
  },
} as const
