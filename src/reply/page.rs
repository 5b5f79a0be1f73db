//! The frame and the look of every page. Pages are constants; nothing of them runs or is fetched.

/// `title` is what the tab is called; `style` is what the page has beside the common look.
macro_rules! page {
    (title: $title:expr, style: $style:expr, $body:expr) => {
        concat!(
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n",
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n",
            "<meta name=\"color-scheme\" content=\"light dark\">\n",
            "<link rel=\"icon\" href=\"data:,\">\n<title>",
            $title,
            "</title>\n<style>\n",
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/reply/page.css")),
            $style,
            "</style>\n<main>\n",
            $body,
            "</main>\n</html>\n"
        )
    };
}

pub(crate) use page;
