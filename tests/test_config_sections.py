from __future__ import annotations

from pathlib import Path

import pytest

from model_heritage_backend.clustering import ClusteringMethod, DistanceMetric, TreeBuildingMethod
from model_heritage_backend.config import Settings, load_settings
from model_heritage_backend.config_sections import SECTIONS, Fixed, Part, Refused, Taken
from model_heritage_backend.errors import InvalidRequest
from model_heritage_backend.services.engine import EngineOptions

pytestmark = pytest.mark.usefixtures("plain_environment")

SPECIFIED = """
storage: {root_path: ./data, force_safetensors: true, max_storage_gb: 200}
clustering: {structural_threshold: 0.80, uncertainty_threshold: 0.30, validation_factor: 1.2,
             max_family_size: 50}
weight_analysis: {layer_sampling_ratio: 1.0, distance_metric: L2, enable_layer_weighting: false}
mother: {min_family_size: 2, confidence_threshold: 0.1, arborescence_algorithm: edmonds}
performance: {worker_concurrency: 1, memory_limit_gb: 12, cache_distances: true}
neo4j: {uri: "bolt://localhost:7687", user: neo4j, password: password, database: neo4j,
        pool_size: 10}
logging: {level: INFO, format: json, file: ./data/logs/model_genealogy.log, max_size_mb: 100,
          backup_count: 5}
api: {host: 0.0.0.0, port: 8000, workers: 1, reload: false}
"""
"""The specification's file, but for what is refused."""


@pytest.fixture
def write(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A file that is read as config.yaml."""
    file = tmp_path / "config.yaml"
    monkeypatch.setenv("MODEL_HERITAGE_CONFIG", str(file))
    monkeypatch.chdir(tmp_path)
    return file


def refuse(file: Path, text: str) -> str:
    file.write_text(text)
    with pytest.raises(InvalidRequest) as caught:
        load_settings()
    return caught.value.detail


def test_the_specifications_file(write: Path) -> None:
    write.write_text(SPECIFIED)
    settings = load_settings()
    assert settings.data_dir == write.parent / "data"
    assert settings.log_file == write.parent / "data/logs/model_genealogy.log"
    assert (settings.host, settings.port, settings.log_format) == ("0.0.0.0", 8000, "json")
    assert settings.max_storage_bytes == 200 * 1024**3
    assert settings.memory_limit_bytes == 12 * 1024**3
    assert settings.log_file_bytes == 100 * 1024**2
    assert (settings.max_family_size, settings.confidence_threshold) == (50, 0.1)
    assert settings.distance_metric == "l2_distance"
    assert settings.neo4j_password.get_secret_value() == "password"


def test_every_option_is_a_setting_or_has_a_reason() -> None:
    for options in SECTIONS.values():
        for option in options.values():
            if isinstance(option, Taken | Part):
                assert option.setting in Settings.model_fields
            else:
                assert isinstance(option, Fixed | Refused)
                assert len(option.reason) > 20


def test_words_are_those_of_the_engine() -> None:
    for setting, words in (
        ("clustering_method", ClusteringMethod),
        ("distance_metric", DistanceMetric),
        ("tree_method", TreeBuildingMethod),
    ):
        for word in words:
            load_settings(**{setting: word.value})
    assert EngineOptions.choose(load_settings()) == EngineOptions()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("storge: {}", "storge is not a setting or section; did you mean storage?"),
        ("clustering: {max_size: 3}", "clustering.max_size is not an option of clustering"),
        ("clustering: [1]", "clustering: found [1], allowed: options of this section"),
        (
            "clustering: {max_family_size: many}",
            "clustering.max_family_size: found 'many', allowed: a whole number of at least 2",
        ),
        (
            "performance: {memory_limit_gb: 0.5}",
            "performance.memory_limit_gb: found 0.5, allowed: a number of at least 1",
        ),
        (
            "performance: {worker_concurrency: 4}",
            "worker_concurrency: found 4, allowed: 1, because",
        ),
        ("performance: {mmap_models: true}", "mmap_models: found True, allowed: false, because"),
        ("api: {reload: 0}", "api.reload: found 0, allowed: false"),
        ("storage: {models_path: x}", "storage.models_path is not an option here: everything"),
        ("port: 1\napi: {port: 2}", "api.port and port are the same setting"),
        ("neo4j: {uri: 'http://me:secret@x'}", "neo4j.uri: found something else, allowed"),
        ("[1]", "holds no settings"),
        ("a: [", "is not valid YAML in line 1"),
        ("port: 1\nport: 2", "is not valid YAML in line 2: port is there twice."),
        ("api:\n  port: 1\n  port: 2", "in line 3: port is there twice."),
        ("user_header: X-User", "not valid. user_header needs access login"),
    ],
)
def test_what_is_wrong_is_told(write: Path, text: str, told: str) -> None:
    detail = refuse(write, text)
    assert told in detail
    assert "secret" not in detail


def test_all_that_is_wrong_is_told_at_once(write: Path) -> None:
    detail = refuse(write, "clustering: {a: 1, b: 2}")
    assert detail.count("\n- clustering.") == 2


def test_redis_is_one_address(write: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://db/heritage")
    write.write_text("redis: {host: cache, port: 6380, db: 2, password: 'a/b@c'}")
    assert load_settings().redis_url == "redis://:a%2Fb%40c@cache:6380/2"
    detail = refuse(write, "redis: {host: 'a b', port: x, db: -1}")
    assert detail.count("\n- redis.") == 3


def test_environment_wins_over_a_section(write: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write.write_text("api: {port: 8000}")
    monkeypatch.setenv("MODEL_HERITAGE_PORT", "8001")
    assert load_settings().port == 8001
