import NIOCore
import NIOHTTP2

/// How `NIOHTTP2Handler` is set up.
enum HTTP2Framing {
    /// Sent behind a GOAWAY; when it comes back, the client has seen that one. Eight octets of our choice (RFC 9113 §6.7).
    static let farewell = HTTP2PingData(withInteger: 0x6661_7265_7765_6c6c)

    static func handler(delegate: any NIOHTTP2FrameDelegate, limits: ServerLimits) -> NIOHTTP2Handler {
        var connection = NIOHTTP2Handler.ConnectionConfiguration()
        connection.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: HTTP2Connection.concurrency),
            HTTP2Setting(parameter: .initialWindowSize, value: HTTP2Window.stream),
            // NIO ends the connection over a larger one, so it is given room for ours to be answered with 431. What RFC 9113 §6.5.2
            // counts here is larger than what we count: 32 octets for each field.
            HTTP2Setting(parameter: .maxHeaderListSize, value: limits.headSize * 2),
            // RFC 8441 §3: WebSockets.
            HTTP2Setting(parameter: .enableConnectProtocol, value: 1),
            // SETTINGS_NO_RFC7540_PRIORITIES (RFC 9218 §2.1): we do not look at them.
            HTTP2Setting(parameter: HTTP2SettingsParameter(extensionSetting: 9), value: 1),
        ]
        // See HTTP2MessageForm and HTTP2ResponseHead.
        connection.headerBlockValidation = .disabled
        connection.contentLengthValidation = .disabled
        // Frames of a client whose uploads were refused are still on their way when their streams are gone.
        connection.maximumRecentlyResetStreams = 2 * HTTP2Connection.concurrency
        // We read no further while the client does not: what is written meanwhile answers one read.
        connection.maximumBufferedControlFrames = 4000
        // gRPC's clients send a PING for each round trip while they measure the bandwidth. HTTP2FrameMeter counts them as well.
        connection.controlFrameRateLimit.maximumCount = 1000
        connection.maximumSequentialEmptyDataFrames = 10
        var stream = NIOHTTP2Handler.StreamConfiguration()
        // Somebody who drags a map around cancels some ten requests a second.
        stream.streamResetFrameRateLimit.maximumCount = 400
        return NIOHTTP2Handler(mode: .server, frameDelegate: delegate, connectionConfiguration: connection, streamConfiguration: stream)
    }
}

extension HTTP2Connection: NIOHTTP2FrameDelegate {
    /// Told of every frame that is handed to the channel.
    func wroteFrame(_ frame: HTTP2Frame) {
        switch frame.payload {
        case .data: streams[frame.streamID]?.hasProgressed = true
        case .goAway(_, let code, _): if code != .noError { hasFailed = true }
        // What made us reset a stream costs as much as a reset by the client would (CVE-2025-8671).
        case .rstStream(let code): if code != .noError { _ = meter.spend(8) }
        default: break
        }
    }
}
