import GateCrypto
import NIOCore

extension TLSHandler {
    /// Where an authority's validator wants to see a challenge that another instance presents, the handshake waits for it.
    func searchChallenge() {
        guard !isSearching, let (hello, search) = engine.searched else { return }
        isSearching = true
        // The channel's time limit for handshakes goes on.
        let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.makeFutureWithTask { await search(hello) }.whenComplete { result in
            handler.value.goOn(with: try? result.get())
        }
    }

    private func goOn(with choice: TLSServerContext.Choice?) {
        isSearching = false
        guard case .handshaking = state, context != nil else { return }
        engine.found(choice)
        shakeHands()
        flushIfNeeded()
        if case .handshaking = state, !isTransportEnded { context?.read() }
    }
}
