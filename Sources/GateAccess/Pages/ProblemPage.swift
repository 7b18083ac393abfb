package import GateHTTP
import NIOHTTP1

extension Problem {
    /// The answer to `request`: a page where a person waits for one, else the problem document.
    ///
    /// - Parameter baseURL: the public URL without a slash at its end.
    package func answer(to request: Request, baseURL: String) -> Response {
        guard request.isNavigation else { return response(id: request.id, instance: request.target.path, baseURL: baseURL) }
        return page(for: request)
    }

    private func page(for request: Request) -> Response {
        var content: HTML = "<h1>\(kind.title)</h1>"
        if let detail { content = content + "\n<p>\(detail)</p>" }
        if kind == .forbidden || kind == .accountDisabled {
            let location = OwnPages.signOut + OwnPages.redirectQuery(for: request)
            content =
                content + """

                    <form method="post" action="\(location)"><button>Sign in as somebody else</button></form>
                    """
        }
        content = content + "\n<p class=\"soft\">\(String(kind.status.code)) \(kind.rawValue) · \(request.id.description)</p>"
        return OwnPage(title: kind.title, content: content).response(kind.status, headers: headers)
    }
}
