package dev.vigil.api;

import dev.vigil.api.vault.VaultSettings;
import dev.vigil.api.vault.WorkerAddress;
import dev.vigil.api.vault.WorkerPortIdentity;
import dev.vigil.api.web.Authenticator;
import dev.vigil.api.web.CallRunner;
import dev.vigil.api.web.CallWatch;
import dev.vigil.api.web.Cidr;
import dev.vigil.api.web.EdgeFilter;
import dev.vigil.api.web.ProblemValve;
import dev.vigil.api.web.RateLimits;
import dev.vigil.api.web.RouteGate;
import dev.vigil.api.web.RouteServlet;
import dev.vigil.api.web.RouteTable;
import dev.vigil.scheduler.task.OutboxProbe;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Optional;
import org.apache.catalina.core.StandardHost;
import org.apache.coyote.http11.AbstractHttp11Protocol;
import org.apache.tomcat.util.threads.VirtualThreadExecutor;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.tomcat.servlet.TomcatServletWebServerFactory;
import org.springframework.boot.web.server.Shutdown;
import org.springframework.boot.web.servlet.DelegatingFilterProxyRegistrationBean;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.boot.web.servlet.ServletRegistrationBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.core.env.Environment;
import org.springframework.security.web.DefaultSecurityFilterChain;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.security.web.firewall.HttpFirewall;
import org.springframework.security.web.firewall.StrictHttpFirewall;
import org.springframework.security.web.util.matcher.AnyRequestMatcher;
import org.springframework.util.function.SingletonSupplier;

/// The ports and what stands in front of the routes: edge filter, Spring Security, gate, servlet.
@Configuration(proxyBeanMethods = false)
class PortConfiguration {
    private static final int HEADER_BYTES_MAX = 16 * 1024;
    // A client that sends too much still reads the 413 when it is not much more than this.
    private static final int SWALLOWED_BYTES_MAX = 16 * 1024 * 1024;

    @Bean
    TomcatServletWebServerFactory webServer(Environment environment, ObjectProvider<WorkerPort> workerPort)
            throws UnknownHostException {
        var factory = new TomcatServletWebServerFactory(environment.getProperty("server.port", Integer.class, 8080));
        factory.setAddress(InetAddress.getByName(environment.getProperty("server.address", "127.0.0.1")));
        factory.setShutdown(Shutdown.GRACEFUL);
        factory.addProtocolHandlerCustomizers(handler -> {
            handler.setExecutor(new VirtualThreadExecutor("api-"));
            if (handler instanceof AbstractHttp11Protocol<?> http) {
                http.setMaxSwallowSize(SWALLOWED_BYTES_MAX);
                http.setMaxHttpRequestHeaderSize(HEADER_BYTES_MAX);
            }
        });
        factory.addContextCustomizers(
                context -> ((StandardHost) context.getParent()).setErrorReportValveClass(ProblemValve.class.getName()));
        workerPort.ifAvailable(port -> factory.addAdditionalConnectors(port.connector()));
        return factory;
    }

    @Bean
    @ConditionalOnProperty("vigil.worker-port.port")
    WorkerPort workerPort(ApiSettings settings, WorkerPortIdentity identity) {
        return new WorkerPort(
                settings.workerPort(),
                () -> new WorkerPort.Keys(identity.keyStore(), identity.password(), identity.trustStore()));
    }

    /// Shows the newest certificate of this node to new connections.
    @Bean
    @ConditionalOnProperty("vigil.worker-port.port")
    WorkerPortRenewal workerPortRenewal(WorkerPort port, WorkerPortIdentity identity) {
        return new WorkerPortRenewal(port, identity);
    }

    @Bean
    WorkerAddress workerAddress(ObjectProvider<WorkerPort> workerPort, VaultSettings vault) {
        return () -> URI.create("https://" + vault.workerPortHosts().getFirst() + ":"
                + workerPort.getObject().port());
    }

    @Bean
    FilterRegistrationBean<EdgeFilter> edge(ApiSettings settings) {
        List<Cidr> proxies = settings.trustedProxies().stream()
                .map(text -> Cidr.parse(text)
                        .orElseThrow(() -> new IllegalArgumentException(
                                "vigil.trusted-proxies has " + text + "; use addresses or ranges such as 10.0.0.0/8")))
                .toList();
        var registration = new FilterRegistrationBean<>(new EdgeFilter(proxies));
        registration.setOrder(Ordered.HIGHEST_PRECEDENCE);
        return registration;
    }

    @Bean
    DelegatingFilterProxyRegistrationBean security() {
        var registration = new DelegatingFilterProxyRegistrationBean("springSecurityFilterChain");
        registration.setOrder(0);
        return registration;
    }

    /// Methods are the table's matter; the rest of the firewall stays.
    @Bean
    HttpFirewall firewall() {
        var firewall = new StrictHttpFirewall();
        firewall.setUnsafeAllowAnyHttpMethod(true);
        firewall.setAllowedHeaderNames(HeaderText::isName);
        firewall.setAllowedHeaderValues(HeaderText::isValue);
        return firewall;
    }

    /// Everything that the chains before it did not take.
    @Bean
    @Order(Ordered.LOWEST_PRECEDENCE)
    SecurityFilterChain routes(
            RouteTable table, Authenticator authenticator, RateLimits limits, RouteGate.Surroundings surroundings) {
        return new DefaultSecurityFilterChain(
                AnyRequestMatcher.INSTANCE, new RouteGate(table, authenticator, limits, surroundings));
    }

    @Bean
    RouteGate.Surroundings surroundings(ObjectProvider<WorkerPort> workerPort, CallWatch watch, OutboxProbe audit) {
        // Asked for by each request; looking a bean up costs more than all else that the gate does.
        SingletonSupplier<Optional<WorkerPort>> served =
                SingletonSupplier.of(() -> Optional.ofNullable(workerPort.getIfAvailable()));
        return new RouteGate.Surroundings(
                () -> served.obtain().map(WorkerPort::port).orElse(-1), watch, audit::writable);
    }

    @Bean
    ServletRegistrationBean<RouteServlet> servlet(CallRunner runner) {
        var registration = new ServletRegistrationBean<>(new RouteServlet(runner), "/");
        registration.setLoadOnStartup(1);
        return registration;
    }
}
