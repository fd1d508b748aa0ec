package dev.vigil.api.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.api.Api;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

class ForecastTest {
    private final Api api = Api.shared();
    private final Api.Http client = api.client();

    @Test
    void a_preview_tells_the_shift_over_the_gap() {
        JsonNode preview = preview("""
                {"schedule":{"type":"cron","cron":"30 2 * * *","timezone":"Europe/Berlin"},
                 "from":"2027-03-27T00:00:00Z","count":3}""");

        assertThat(preview.path("fires").path(0).path("at").asString()).isEqualTo("2027-03-27T01:30:00Z");
        assertThat(preview.path("fires").path(0).path("note").isNull()).isTrue();
        JsonNode shifted = preview.path("fires").path(1);
        assertThat(shifted.path("at").asString()).isEqualTo("2027-03-28T01:00:00Z");
        assertThat(shifted.path("local").asString()).isEqualTo("2027-03-28T03:00+02:00");
        assertThat(shifted.path("note").asString()).isEqualTo("gap_shifted");
        assertThat(preview.path("warnings").size()).isEqualTo(1);
        assertThat(preview.path("description").asString()).contains("Europe/Berlin");
    }

    @Test
    void a_time_at_the_end_of_the_gap_is_its_own_and_no_shift() {
        JsonNode preview = preview("""
                {"schedule":{"type":"cron","cron":"0 3 * * *","timezone":"Europe/Berlin"},
                 "from":"2027-03-28T00:00:00Z","count":1}""");

        assertThat(preview.path("fires").path(0).path("at").asString()).isEqualTo("2027-03-28T01:00:00Z");
        assertThat(preview.path("fires").path(0).path("note").isNull()).isTrue();
    }

    @Test
    void both_passes_of_an_overlap_are_told_apart() {
        JsonNode preview = preview("""
                {"schedule":{"type":"cron","cron":"30 2 * * *","timezone":"Europe/Berlin","on_overlap":"both"},
                 "from":"2027-10-30T12:00:00Z","count":2}""");

        assertThat(preview.path("fires").path(0).path("note").asString()).isEqualTo("overlap_first");
        assertThat(preview.path("fires").path(1).path("note").asString()).isEqualTo("overlap_second");
    }

    @Test
    void an_interval_and_a_one_time_schedule_are_previewed_too() {
        JsonNode interval = preview("""
                {"schedule":{"type":"interval","every":"PT30S","anchor":"2027-01-01T00:00:10Z"},
                 "from":"2027-01-01T00:01:00Z","count":2}""");
        JsonNode past = preview("""
                {"schedule":{"type":"one_time","at":"2020-01-01T00:00:00Z"},"from":"2019-12-31T00:00:00Z"}""");

        assertThat(interval.path("fires").path(0).path("at").asString()).isEqualTo("2027-01-01T00:01:10Z");
        assertThat(past.path("fires").path(0).path("at").asString()).isEqualTo("2020-01-01T00:00:00Z");
    }

    @Test
    void a_cron_that_never_fires_is_422() {
        assertThat(client.post(
                                "/api/v1/schedules:preview",
                                "{\"schedule\":{\"type\":\"cron\",\"cron\":\"0 0 30 2 *\"}}")
                        .status())
                .isEqualTo(422);
    }

    @Test
    void a_task_tells_its_next_fires() {
        String id = client.post("/api/v1/tasks", """
                {"name":"hourly","handler":"demo.echo","schedule":{"type":"cron","cron":"0 * * * *"},"payload":1}""").expect(201).path("id").asString();

        JsonNode forecast = client.get("/api/v1/tasks/" + id + "/forecast?n=3").expect(200);

        assertThat(forecast.path("fires").size()).isEqualTo(3);
        assertThat(client.get("/api/v1/tasks/" + id).expect(200).path("next_fire_at"))
                .isEqualTo(forecast.path("fires").path(0).path("at"));
        assertThat(client.get("/api/v1/tasks/" + id + "/forecast?n=1000").status())
                .isEqualTo(422);
    }

    private JsonNode preview(String body) {
        return client.post("/api/v1/schedules:preview", body).expect(200);
    }
}
