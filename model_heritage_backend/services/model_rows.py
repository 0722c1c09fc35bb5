"""What the database keeps of a file by itself."""

from __future__ import annotations

from model_heritage_backend.fingerprints import Fingerprint, describe_structure
from model_heritage_backend.models.tables import Model
from model_heritage_backend.weights import Weights

ID_LENGTH = 16
CLAIMS = 64
CLAIM_LENGTH = 500


def build_model(weights: Weights, fingerprint: Fingerprint) -> Model:
    """A row of what the file itself says; its id is derived from its bytes, so it is the same
    after deleting and uploading again, and in what the command line writes."""
    model_id = f"m_{fingerprint.checksum[:ID_LENGTH]}"
    return Model(
        id=model_id,
        format=weights.format,
        file_path=f"blobs/{fingerprint.checksum}",
        weights_uri=f"/api/models/{model_id}/download",
        checksum=fingerprint.checksum,
        total_parameters=fingerprint.total_parameters,
        layer_count=fingerprint.layer_count,
        structural_hash=fingerprint.structural_hash,
        dtypes=dict(describe_structure(weights).dtypes),
        quality=list(fingerprint.quality),
        claims={
            key[:CLAIM_LENGTH]: value[:CLAIM_LENGTH]
            for key, value in list(weights.metadata.items())[:CLAIMS]
        },
    )
