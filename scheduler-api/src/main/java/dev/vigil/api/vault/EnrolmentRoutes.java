package dev.vigil.api.vault;

import dev.vigil.api.web.Access;
import dev.vigil.api.web.Answer;
import dev.vigil.api.web.Call;
import dev.vigil.api.web.Code;
import dev.vigil.api.web.Fields;
import dev.vigil.api.web.ProblemException;
import dev.vigil.api.web.Route;
import dev.vigil.api.web.Routes;
import java.io.IOException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;

/// How workers and services come by their certificates, on the worker port.
final class EnrolmentRoutes implements Routes {
    private static final int TOKEN_LENGTH_MAX = 8192;

    private final Enrolment enrolment;
    private final Consumer<UUID> changed;

    /// Takes what to tell the cores when a worker is locked.
    EnrolmentRoutes(Enrolment enrolment, Consumer<UUID> changed) {
        this.enrolment = enrolment;
        this.changed = changed;
    }

    @Override
    public List<Route> all() {
        return List.of(
                // Limited by the token itself: guessing an HMAC is hopeless, and a fleet may join from one address.
                Route.post("/worker/v1/enrol", "enrolWorker")
                        .about("Worker side", "Enrol with a join token and a certificate request")
                        .open(Access.Limit.FAILURES)
                        .body("Enrolment")
                        .answers(201, "Certificate")
                        .handler(this::enrol),
                Route.post("/worker/v1/renew", "renewWorkerCertificate")
                        .about("Worker side", "Renew the certificate of this connection")
                        .certificate()
                        .body("CertificateRequest")
                        .answers(200, "Certificate")
                        .handler(this::renew));
    }

    /// A certificate as the worker side gets it.
    record View(String workerId, String certificate, int generation, Instant notAfter, Instant renewAfter) {
        static View of(WorkerRow worker, Authority.Issued issued) {
            return new View(
                    worker.publicId(),
                    issued.pem(),
                    worker.generation(),
                    issued.leaf().getNotAfter().toInstant(),
                    issued.renewAfter());
        }
    }

    private Answer enrol(Call call) throws IOException {
        Fields fields = call.json();
        String token = fields.text("token", TOKEN_LENGTH_MAX);
        String pem = fields.text("csr", CertificateRequest.LENGTH_MAX);
        String name = Names.worker(fields);
        fields.finish();
        CertificateRequest request = CertificateRequest.read(pem);
        return switch (enrolment.enrol(token, request, name, call.address())) {
            case Enrolment.Enrolled.Admitted(WorkerRow worker, Authority.Issued issued) ->
                Answer.json(201, View.of(worker, issued));
            case Enrolment.Enrolled.Refused(JoinTokens.Redeemed why) -> throw refused(why);
        };
    }

    private Answer renew(Call call) throws IOException {
        Fields fields = call.json();
        String pem = fields.text("csr", CertificateRequest.LENGTH_MAX);
        fields.finish();
        CertificateRequest request = CertificateRequest.read(pem);
        X509Certificate presented = call.certificate()
                .orElseThrow(() -> new ProblemException(
                        Code.CERTIFICATE_REQUIRED, "A renewal needs the certificate that it replaces."));
        return switch (enrolment.renew(presented, request)) {
            case Enrolment.Renewed.Issued(WorkerRow worker, Authority.Issued issued) ->
                Answer.json(200, View.of(worker, issued));
            case Enrolment.Renewed.Refused(String why) ->
                throw new ProblemException(Code.CERTIFICATE_REFUSED, "The client certificate is refused: " + why + ".");
            case Enrolment.Renewed.Locked(UUID worker) -> {
                changed.accept(worker);
                throw new ProblemException(
                        Code.CERTIFICATE_REFUSED,
                        "An older certificate of this worker was renewed with another key, so two hold one: the worker "
                                + "is blocked. Remove it and enrol again with a new join token.");
            }
        };
    }

    private static ProblemException refused(JoinTokens.Redeemed why) {
        return switch (why) {
            case JoinTokens.Redeemed.Invalid _ ->
                new ProblemException(
                        Code.JOIN_TOKEN_INVALID,
                        "The join token is not one of this installation, was revoked, or does not allow this address.");
            case JoinTokens.Redeemed.Expired _ ->
                new ProblemException(Code.JOIN_TOKEN_EXPIRED, "The join token ended; ask an admin for a new one.");
            case JoinTokens.Redeemed.Used _ ->
                new ProblemException(
                        Code.JOIN_TOKEN_USED,
                        "The join token was used already; ask an admin for a new one, and ask who used this one.");
            case JoinTokens.Redeemed.Granted _ -> throw new IllegalStateException("a granted token is no refusal");
        };
    }
}
