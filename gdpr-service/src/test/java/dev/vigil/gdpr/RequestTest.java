package dev.vigil.gdpr;

import static dev.vigil.gdpr.Office.REQUESTS;
import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.gdpr.Office.Person;
import dev.vigil.gdpr.Office.Reply;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// How requests are asked for, decided and listed.
class RequestTest {
    private final Office office = Office.shared();
    private final String url = office.url() + REQUESTS;
    private final String subject = Office.subject();
    private final Person officer = office.person("privacy_officer");

    @Test
    void nobody_approves_his_own_request_and_an_approval_is_given_once() {
        String erasure = ask("erasure", officer).expect(202).path("id").asString();

        assertThat(officer.post(url + "/" + erasure + ":approve", "").code()).isEqualTo("permission_denied");
        assertThat(office.person("viewer")
                        .post(url + "/" + erasure + ":approve", "")
                        .code())
                .isEqualTo("role_missing");
        assertThat(state(erasure)).isEqualTo("awaiting_approval");

        Person other = office.person("privacy_officer");
        JsonNode approved = other.post(url + "/" + erasure + ":approve", "").expect(200);
        assertThat(approved.path("state").asString()).isIn("running", "done");
        assertThat(approved.path("approved_by").asString()).isEqualTo(other.id());
        assertThat(other.post(url + "/" + erasure + ":approve", "").status()).isEqualTo(409);
    }

    @Test
    void a_rejected_erasure_says_why_and_is_never_carried_out() {
        String erasure = ask("erasure", officer).expect(202).path("id").asString();

        JsonNode rejected = officer.post(url + "/" + erasure + ":reject", "{\"reason\":\"a duplicate\"}")
                .expect(200);

        assertThat(rejected.path("state").asString()).isEqualTo("rejected");
        assertThat(rejected.path("detail").asString()).isEqualTo("a duplicate");
        assertThat(office.admin().post(url + "/" + erasure + ":approve", "").status())
                .isEqualTo(409);
        assertThat(officer.post(url + "/" + erasure + ":reject", "").status()).isEqualTo(409);
        assertThat(officer.get(url + "/" + erasure + "/certificate").status()).isEqualTo(409);
    }

    @Test
    void a_request_is_extended_once_and_by_two_months_at_most() {
        JsonNode erasure = ask("erasure", officer).expect(202);
        String extend = url + "/" + erasure.path("id").asString() + ":extend";
        assertThat(officer.post(extend, "{}").code()).as("without a reason").isEqualTo("validation_failed");
        assertThat(officer.post(extend, "{\"reason\":\"x\",\"days\":61}").code())
                .isEqualTo("validation_failed");

        JsonNode extended = officer.post(extend, "{\"reason\":\"many systems\",\"days\":60}")
                .expect(200);

        Instant due = Instant.parse(erasure.path("due_at").asString());
        assertThat(Duration.between(Instant.now(), due)).isBetween(Duration.ofDays(29), Duration.ofDays(30));
        assertThat(Instant.parse(extended.path("due_at").asString())).isEqualTo(due.plus(Duration.ofDays(60)));
        assertThat(extended.path("extension_reason").asString()).isEqualTo("many systems");
        assertThat(officer.post(extend, "{\"reason\":\"again\"}").status()).isEqualTo(409);
    }

    @Test
    void a_dry_run_counts_and_stores_nothing() {
        task();
        long before = office.query("SELECT count(*) FROM gdpr.request", Long.class);

        JsonNode inBody =
                officer.post(url, body("erasure", ",\"dry_run\":true")).expect(200);
        JsonNode inQuery =
                officer.post(url + "?dry_run=true", body("access", "")).expect(200);

        assertThat(inBody.path("tasks").asInt()).isEqualTo(1);
        assertThat(inQuery.path("kind").asString()).isEqualTo("access");
        assertThat(office.query("SELECT count(*) FROM gdpr.request", Long.class))
                .isEqualTo(before);
    }

    @Test
    void a_form_is_none_of_the_bodies_that_are_taken() {
        Reply refused = officer.form(url, "kind=access&subject=somebody");

        assertThat(refused.status()).isEqualTo(415);
        assertThat(refused.code()).isEqualTo("unsupported_media_type");
    }

    @Test
    void a_list_is_walked_by_cursors_that_nobody_else_made() {
        Person lister = office.person("privacy_officer");
        List<String> asked = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            asked.addFirst(ask("erasure", lister).expect(202).path("id").asString());
        }

        List<String> found = new ArrayList<>();
        String next = "";
        do {
            JsonNode page = lister.get(url + "?limit=2" + (next.isEmpty() ? "" : "&after=" + next))
                    .expect(200);
            page.path("items").forEach(item -> found.add(item.path("id").asString()));
            next = page.path("next").asString("");
        } while (!next.isEmpty() && found.size() < 5);

        assertThat(found.subList(0, 5)).isEqualTo(asked);
        assertThat(lister.get(url + "?limit=2&after=AAAA").code()).isEqualTo("bad_cursor");
        String cursor = lister.get(url + "?limit=2").expect(200).path("next").asString();
        String changed = cursor.substring(0, 30) + (cursor.charAt(30) == 'A' ? "B" : "A") + cursor.substring(31);
        assertThat(lister.get(url + "?limit=2&after=" + changed).code()).isEqualTo("bad_cursor");
    }

    @Test
    void a_list_is_filtered_and_says_which_filters_it_knows() {
        String access = ask("access", officer).expect(202).path("id").asString();
        String erasure = ask("erasure", officer).expect(202).path("id").asString();

        assertThat(officer.get(url + "?kind=erasure&state=awaiting_approval&sort=-created_at")
                        .text())
                .contains(erasure)
                .doesNotContain(access);
        assertThat(officer.get(url + "?kind=access").text()).contains(access).doesNotContain(erasure);
        assertThat(officer.get(url + "?kind=both").code()).isEqualTo("validation_failed");
        assertThat(officer.get(url + "?state=lost").code()).isEqualTo("validation_failed");
        assertThat(officer.get(url + "?sort=reason").code()).isEqualTo("bad_sort");
        assertThat(officer.get(url + "?colour=red").code()).isEqualTo("unknown_parameter");
        assertThat(officer.get(url + "?limit=201").code()).isEqualTo("validation_failed");
    }

    @Test
    void an_officer_sees_the_requests_of_his_namespace_an_admin_all() {
        String namespace = "ns" + System.nanoTime();
        office.admin()
                .post(office.api() + "/api/v1/namespaces", "{\"name\":\"%s\"}".formatted(namespace))
                .expect(201);
        Person elsewhere = office.person("privacy_officer", namespace);
        String his = ask("erasure", elsewhere).expect(202).path("id").asString();
        String everywhere =
                ask("erasure", office.admin()).expect(202).path("id").asString();

        assertThat(officer.get(url + "/" + his).status()).isEqualTo(404);
        assertThat(officer.get(url + "/" + everywhere).status()).isEqualTo(404);
        assertThat(officer.post(url + "/" + his + ":approve", "").status()).isEqualTo(404);
        assertThat(officer.get(url).text()).doesNotContain(his);
        assertThat(office.admin().get(url + "/" + his).status()).isEqualTo(200);
    }

    @Test
    void the_same_key_and_body_replay_the_answer_another_body_is_refused() {
        String key = "key-" + subject;
        Reply first = officer.post(url, body("erasure", ""), key);

        Reply again = officer.post(url, body("erasure", ""), key);

        assertThat(first.status()).isEqualTo(202);
        assertThat(again.text()).isEqualTo(first.text());
        assertThat(again.header("Idempotent-Replayed")).isEqualTo("true");
        assertThat(officer.post(url, body("access", ""), key).status()).isEqualTo(422);
    }

    @Test
    void a_subject_is_found_by_his_whole_name_with_what_is_known_of_him() {
        task();
        String erasure = ask("erasure", officer).expect(202).path("id").asString();

        JsonNode found = find(subject);

        assertThat(found.size()).isEqualTo(1);
        assertThat(found.path(0).path("tasks").asInt()).isEqualTo(1);
        assertThat(found.path(0).path("account").asBoolean()).isFalse();
        assertThat(found.path(0).path("requests").path(0).asString()).isEqualTo(erasure);
        assertThat(find(subject.substring(1)).size()).as("part of a name").isZero();
        assertThat(find(officer.id()).path(0).path("account").asBoolean()).isTrue();
        assertThat(officer.get(office.url() + "/api/v1/gdpr/subjects").code()).isEqualTo("validation_failed");
        assertThat(office.person("auditor")
                        .get(office.url() + "/api/v1/gdpr/subjects?query=x")
                        .code())
                .isEqualTo("role_missing");
    }

    @Test
    void bad_requests_are_refused_and_name_the_field() {
        assertThat(Office.send("GET", url, "", null).code()).isEqualTo("unauthenticated");
        assertThat(Office.send("GET", url, "nonsense", null).code()).isEqualTo("invalid_token");
        assertThat(officer.post(url, "{").code()).isEqualTo("malformed_request");
        assertThat(officer.post(url, "{\"kind\":\"access\",\"kind\":\"erasure\"}")
                        .code())
                .isEqualTo("malformed_request");
        assertThat(officer.post(url, body("access", ",\"colour\":\"red\"")).code())
                .isEqualTo("unknown_field");
        assertThat(officer.post(url, "{\"kind\":\"oblivion\"}").text()).contains("/kind", "/subject", "/reason");
        assertThat(officer.get(url + "/dsr_0").status()).isEqualTo(404);
        assertThat(Office.send("DELETE", url, officer.token(), null).header("Allow"))
                .isEqualTo("GET, HEAD, POST");
        assertThat(Office.send("POST", url, officer.token(), "x".repeat(70_000)).status())
                .isEqualTo(413);
        assertThat(office.person("auditor").get(url).code()).isEqualTo("role_missing");
    }

    private JsonNode find(String name) {
        return officer.get(office.url() + "/api/v1/gdpr/subjects?query=" + name)
                .expect(200)
                .path("items");
    }

    private Reply ask(String kind, Person by) {
        return by.post(url, body(kind, ""));
    }

    private String body(String kind, String more) {
        return "{\"kind\":\"%s\",\"subject\":\"%s\",\"reason\":\"a letter\"%s}".formatted(kind, subject, more);
    }

    private String state(String request) {
        return office.admin().get(url + "/" + request).expect(200).path("state").asString();
    }

    private void task() {
        office.person("scheduler")
                .post(office.api() + "/api/v1/tasks", """
                        {"name":"a task","handler":"demo.echo","schedule":{"type":"one_time","delay":"PT1H"},
                         "subject":"%s","payload":{}}""".formatted(subject))
                .expect(201);
    }
}
