package dev.vigil.api.gateway;

import dev.vigil.api.web.Access;
import dev.vigil.api.web.Role;
import dev.vigil.api.web.Route;
import dev.vigil.api.web.Routes;
import dev.vigil.api.web.Scope;
import dev.vigil.api.web.TokenMint;
import java.net.URI;
import java.util.List;

/// Requests of data subjects, through this origin.
final class GdprGateway implements Routes {
    private static final String REQUESTS = "/api/v1/gdpr/requests";

    private final Upstream gdpr;

    GdprGateway(URI url, UpstreamClient client, TokenMint tokens) {
        this.gdpr = new Upstream("gdpr-service", url, client, tokens);
    }

    @Override
    public List<Route> all() {
        return List.of(
                Route.get("/api/v1/gdpr/public-key", "getPrivacyPublicKey")
                        .about("Privacy", "The key that exports and certificates are verified with, PEM")
                        .open(Access.Limit.UNAUTHENTICATED)
                        .answers(200, "application/x-pem-file")
                        .handler(gdpr::pass),
                officer(Route.post(REQUESTS, "createPrivacyRequest").about("Privacy", "Ask for access or erasure"))
                        .query("dry_run")
                        .body("NewSubjectRequest")
                        .answers(202, "SubjectRequest")
                        .handler(gdpr::pass),
                officer(Route.get(REQUESTS, "listPrivacyRequests").about("Privacy", "List requests, newest first"))
                        .query("limit", "after", "sort", "state", "kind")
                        .answers(200, "SubjectRequestPage")
                        .handler(gdpr::pass),
                officer(Route.get(REQUESTS + "/{id}", "getPrivacyRequest").about("Privacy", "Get a request"))
                        .answers(200, "SubjectRequest")
                        .handler(gdpr::pass),
                officer(Route.post(REQUESTS + "/{id}:approve", "approvePrivacyRequest")
                                .about("Privacy", "Approve an erasure that somebody else asked for"))
                        .answers(200, "SubjectRequest")
                        .handler(gdpr::pass),
                officer(Route.post(REQUESTS + "/{id}:reject", "rejectPrivacyRequest")
                                .about("Privacy", "Reject a request, with a reason"))
                        .body("Rejection")
                        .answers(200, "SubjectRequest")
                        .handler(gdpr::pass),
                officer(Route.post(REQUESTS + "/{id}:extend", "extendPrivacyRequest")
                                .about("Privacy", "Give a request up to 60 days more, once, with the reason"))
                        .body("Extension")
                        .answers(200, "SubjectRequest")
                        .handler(gdpr::pass),
                officer(Route.get("/api/v1/gdpr/subjects", "findPrivacySubject")
                                .about("Privacy", "What is stored about somebody of exactly that name"))
                        .query("query", "limit", "after")
                        .answers(200, "SubjectPage")
                        .handler(gdpr::pass),
                officer(Route.get(REQUESTS + "/{id}/export", "getPrivacyExport")
                                .about("Privacy", "The export of an access request"))
                        .answers(200, "application/zip")
                        .handler(gdpr::pass),
                officer(Route.get(REQUESTS + "/{id}/certificate", "getErasureCertificate")
                                .about("Privacy", "The signed certificate of an erasure"))
                        .answers(200, "application/json")
                        .handler(gdpr::pass));
    }

    private static Route.Draft officer(Route.Draft route) {
        return route.roles(Role.PRIVACY_OFFICER).scope(Scope.GDPR_MANAGE);
    }
}
