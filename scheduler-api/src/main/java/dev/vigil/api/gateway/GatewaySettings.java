package dev.vigil.api.gateway;

import java.net.URI;
import org.jspecify.annotations.Nullable;

/// What this package is told at start; the root package reads it from the service's settings.
///
/// @param url            where clients find this service
/// @param audit          where audit-service is; null when there is none
/// @param gdpr           where gdpr-service is; null when there is none
/// @param swaggerVersion of the Swagger UI webjar
public record GatewaySettings(
        String url, @Nullable URI audit, @Nullable URI gdpr, String swaggerVersion) {
    URI requiredAudit() {
        return required(audit, "vigil.audit.url");
    }

    URI requiredGdpr() {
        return required(gdpr, "vigil.gdpr.url");
    }

    private static URI required(@Nullable URI url, String setting) {
        if (url == null || url.getHost() == null || url.toString().endsWith("/")) {
            throw new IllegalArgumentException(
                    setting + " is " + url + "; give scheme, host and port without a slash at the end");
        }
        return url;
    }
}
