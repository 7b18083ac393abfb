import GateCore
import GateHTTP

/// What all connections of a server share. Never changed while it serves.
final class HTTPService: Sendable {
    let configuration: HTTPServerConfiguration
    let responder: any Responder
    let observer: any ExchangeObserver
    let time: any TimeSource
    let population: ConnectionPopulation

    init(configuration: HTTPServerConfiguration, responder: any Responder, observer: any ExchangeObserver, time: any TimeSource) {
        self.configuration = configuration
        self.responder = responder
        self.observer = observer
        self.time = time
        population = ConnectionPopulation(limits: configuration.limits)
    }
}
