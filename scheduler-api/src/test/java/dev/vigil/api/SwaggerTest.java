package dev.vigil.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// What a first user does in a browser, in a real one.
class SwaggerTest {
    private static final String AUTHORIZATION = ".auth-container:has(#client_id_authorizationCode)";
    private static final String CREATE = "#operations-Tasks-createTask";

    private final Api api = Api.shared();

    /// Where tests must not be left out, `.ci/run` has installed it.
    @BeforeEach
    void needChromium() {
        assumeTrue(
                Files.isExecutable(Chromium.PROGRAM) || System.getenv("CI") != null,
                "no " + Chromium.PROGRAM + "; install it with: apt install chromium");
    }

    @Test
    void a_person_signs_in_on_the_swagger_page_consents_and_creates_a_task() {
        try (var browser = new Chromium()) {
            Chromium.Page swagger = browser.open(api.url() + "/swagger");
            swagger.click(".auth-wrapper .authorize").click(AUTHORIZATION + " .btn.authorize");

            Chromium.Page popup = browser.popup();
            popup.type("#username", "admin")
                    .type("#password", Api.ADMIN_PASSWORD)
                    .click("button[type=submit]")
                    .until("document.body.innerText.includes('vigil-swagger')")
                    .click("button[value=allow]");

            swagger.until("[...document.querySelectorAll('.auth-container button')]"
                    + ".some(button => button.textContent.includes('Logout'))");
            swagger.click(".btn-done")
                    .click(CREATE + " .opblock-summary-control")
                    .click(CREATE + " .try-out__btn");
            swagger.type(CREATE + " textarea", """
                    {"name":"by-browser","handler":"demo.echo","schedule":{"type":"one_time","delay":"PT1H"},
                     "payload":{"made":"by hand"}}""")
                    .click(CREATE + " .btn.execute")
                    .until("document.querySelector('" + CREATE + " .live-responses-table .response-col_status')");
            String status = swagger.value("document.querySelector('" + CREATE
                    + " .live-responses-table tbody .response-col_status').innerText");

            assertThat(status).startsWith("201");
            JsonNode tasks = api.admin().get("/api/v1/tasks?name=by-browser").expect(200);
            assertThat(tasks.path("items").size()).isEqualTo(1);
            assertThat(browser.complaints()).isEmpty();
        }
    }
}
