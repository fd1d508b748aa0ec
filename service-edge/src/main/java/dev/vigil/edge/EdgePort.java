package dev.vigil.edge;

import dev.vigil.protocol.identity.ServerTls;
import java.net.InetAddress;
import java.net.UnknownHostException;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.core.StandardHost;
import org.apache.coyote.http11.AbstractHttp11Protocol;
import org.apache.tomcat.util.net.SSLHostConfig;
import org.apache.tomcat.util.net.SSLHostConfigCertificate;
import org.apache.tomcat.util.net.SSLUtil;
import org.apache.tomcat.util.threads.VirtualThreadExecutor;
import org.springframework.boot.tomcat.servlet.TomcatServletWebServerFactory;
import org.springframework.boot.web.server.Shutdown;
import org.springframework.core.env.Environment;

/// The port that a service listens on: Tomcat on virtual threads, `server.address` (127.0.0.1) and `server.port`.
public final class EdgePort {
    private static final int HEADER_BYTES_MAX = 16 * 1024;

    private EdgePort() {}

    /// What makes the port.
    ///
    /// @param name   of the service, for its threads
    /// @param port   when `server.port` says nothing
    public static TomcatServletWebServerFactory of(Environment environment, String name, int port)
            throws UnknownHostException {
        var factory = new TomcatServletWebServerFactory(environment.getProperty("server.port", Integer.class, port));
        factory.setAddress(InetAddress.getByName(environment.getProperty("server.address", "127.0.0.1")));
        factory.setShutdown(Shutdown.GRACEFUL);
        factory.addProtocolHandlerCustomizers(handler -> {
            handler.setExecutor(new VirtualThreadExecutor(name + "-"));
            if (handler instanceof AbstractHttp11Protocol<?> http) {
                http.setMaxHttpRequestHeaderSize(HEADER_BYTES_MAX);
            }
        });
        factory.addContextCustomizers(context -> {
            var host = (StandardHost) context.getParent();
            host.setErrorReportValveClass("");
            host.getPipeline().addValve(new ProblemValve());
        });
        return factory;
    }

    /// Makes a port TLS 1.3, for callers with a certificate that the context accepts.
    public static void secure(Connector connector, ServerTls tls) {
        var host = new SSLHostConfig();
        host.setProtocols("TLSv1.3");
        host.setCertificateVerification("required");
        var certificate = new SSLHostConfigCertificate(host, SSLHostConfigCertificate.Type.EC);
        certificate.setSslContext(SSLUtil.createSSLContext(tls.context(), tls.keys(), tls.trust()));
        host.addCertificate(certificate);
        connector.setScheme("https");
        connector.setSecure(true);
        var protocol = (AbstractHttp11Protocol<?>) connector.getProtocolHandler();
        protocol.setSSLEnabled(true);
        protocol.addSslHostConfig(host);
    }
}
