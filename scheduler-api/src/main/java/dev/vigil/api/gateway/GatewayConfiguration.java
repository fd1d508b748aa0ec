package dev.vigil.api.gateway;

import dev.vigil.api.vault.SubjectIndex;
import dev.vigil.api.vault.WorkerPortIdentity;
import dev.vigil.api.web.RouteTable;
import dev.vigil.api.web.TokenMint;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.core.env.Environment;

/// What this service shows of itself and of the services behind it.
@Configuration(proxyBeanMethods = false)
@Import({HealthRoutes.class, Readiness.class})
public class GatewayConfiguration {
    @Bean
    @ConditionalOnProperty("vigil.audit.url")
    AuditGateway auditGateway(
            GatewaySettings settings, SubjectIndex subjects, WorkerPortIdentity identity, TokenMint tokens) {
        URI url = settings.requiredAudit();
        return new AuditGateway(url, new UpstreamClient("audit", url, identity), subjects, tokens);
    }

    @Bean
    @ConditionalOnProperty("vigil.gdpr.url")
    GdprGateway gdprGateway(GatewaySettings settings, WorkerPortIdentity identity, TokenMint tokens) {
        URI url = settings.requiredGdpr();
        return new GdprGateway(url, new UpstreamClient("gdpr", url, identity), tokens);
    }

    @Bean
    DocumentRoutes documentRoutes(GatewaySettings settings, ObjectProvider<RouteTable> table) {
        return new DocumentRoutes(new OpenApi(settings.url()), settings.swaggerVersion(), table::getObject);
    }

    @Bean(destroyMethod = "close")
    PrometheusMeterRegistry metrics() {
        var registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        new JvmMemoryMetrics().bindTo(registry);
        new JvmThreadMetrics().bindTo(registry);
        new ProcessorMetrics().bindTo(registry);
        return registry;
    }

    @Bean(destroyMethod = "close")
    JvmGcMetrics gcMetrics(PrometheusMeterRegistry registry) {
        var metrics = new JvmGcMetrics();
        metrics.bindTo(registry);
        return metrics;
    }

    @Bean
    @ConditionalOnProperty("management.server.port")
    ManagementPort managementPort(Environment environment, Readiness readiness, PrometheusMeterRegistry metrics)
            throws UnknownHostException {
        return new ManagementPort(
                InetAddress.getByName(environment.getProperty("management.server.address", "127.0.0.1")),
                environment.getRequiredProperty("management.server.port", Integer.class),
                readiness,
                metrics);
    }
}
