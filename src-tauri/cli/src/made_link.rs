//! A login link that was made, and its output.

use std::path::Path;

use latchkey_core::Error;
use latchkey_core::admin::Link;
use latchkey_core::error::Warning;
use latchkey_core::inspect::inspect;
use latchkey_core::instance::Settings;
use latchkey_core::ledger::GivenAs;
use latchkey_core::link::BaseUrl;
use latchkey_core::link::compose::Composed;
use latchkey_core::link::qr::Qr;
use latchkey_core::secret::Secret;
use latchkey_core::time;
use serde_json::{Value, json};

use crate::args::{FormArguments, Shape};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Output, value};
use crate::text::Text;

/// A link that was made.
pub(crate) struct MadeLink {
    id: Option<String>,
    url: String,
    /// Short URL, if one was made.
    pub(crate) short_url: Option<String>,
    pub(crate) code: Secret,
    widget: String,
    /// Message to the person, if it is wanted.
    pub(crate) message: Option<String>,
    claims: Value,
    expires_at: Option<String>,
    pub(crate) warnings: Vec<Warning>,
    /// URL at which it opens, without the code.
    opens_at: BaseUrl,
}

impl MadeLink {
    /// Returns a link that was signed here. `opens_at` is the URL of the application.
    pub(crate) fn new(composed: Composed, opens_at: BaseUrl) -> Self {
        let registered = &composed.claims.registered;
        Self {
            id: registered.id.clone(),
            url: composed.link.url(),
            short_url: None,
            claims: Value::Object(composed.claims.members()),
            expires_at: registered.expires_at.map(time::exact),
            code: Secret::new(composed.code.expose().to_owned()),
            widget: composed.widget,
            message: None,
            warnings: Vec::new(),
            opens_at,
        }
    }

    /// Returns a link that a gateway has signed.
    pub(crate) fn of_gateway(link: Link, settings: &Settings, now: jiff::Timestamp) -> Self {
        let report = inspect(&link.code, &[], settings.code_rules(), now);
        Self {
            id: link.id,
            url: link.url,
            short_url: link.short_url,
            claims: report.shown.claims_json.unwrap_or_default(),
            code: Secret::new(link.code),
            widget: link.widget,
            message: None,
            expires_at: link.expires_at,
            warnings: link.warnings,
            opens_at: settings.url.clone(),
        }
    }

    /// Adds a warning, unless there is one with its code.
    pub(crate) fn warn(&mut self, warning: Option<Warning>) {
        let is_new = |new: &Warning| self.warnings.iter().all(|known| known.code != new.code);
        let warning = warning.filter(is_new);
        self.warnings.extend(warning);
    }

    /// Fails if the link is wanted as a QR code and does not fit into one.
    pub(crate) fn require_form(&self, form: &FormArguments) -> Result<(), Failure> {
        if form.has_qr_code() {
            Qr::for_url(self.shown_url())?;
        }
        Ok(())
    }

    /// Returns the URL that is printed and is in the QR code: the short one, if there is one.
    pub(crate) fn shown_url(&self) -> &str {
        self.short_url.as_deref().unwrap_or(&self.url)
    }

    /// Writes the file with the QR code, and prints the link.
    pub(crate) fn print(
        &self,
        form: &FormArguments,
        context: &Context,
        output: &Output,
    ) -> Result<(), Failure> {
        let qr = Qr::for_url(self.shown_url());
        if let Some(path) = &form.qr {
            let qr = qr.as_ref().map_err(Error::clone)?;
            let bytes = match picture_format(path)? {
                Picture::Png => qr.png()?,
                Picture::Svg => qr.svg().into_bytes(),
            };
            context
                .write(path, &bytes)
                .map_err(|failure| failure.about("qr"))?;
        }
        let mut warnings = self.warnings.clone();
        if let (Ok(qr), true) = (&qr, form.has_qr_code()) {
            warnings.extend(qr.warnings(&self.opens_at));
        }
        for warning in &warnings {
            output.warn_with_hint(warning);
        }
        let text = match form.shape {
            Shape::Url => Text::from(self.shown_url()),
            Shape::Code => Text::from(self.code.expose()),
            Shape::Widget => Text::from(self.widget.as_str()),
            Shape::Message => {
                let mut text = Text::new();
                text.block(self.message.as_deref().unwrap_or_default());
                text
            }
            Shape::Qr => {
                let qr = qr.as_ref().map_err(Error::clone)?;
                let mut text = Text::new();
                text.own(&qr.terminal_text(Output::is_terminal()));
                text
            }
        };
        output.print(text, || {
            json!({
                "id": self.id,
                "link": self.url,
                "short": self.short_url,
                "code": self.code.expose(),
                "widget": self.widget,
                "message": self.message,
                "claims": self.claims,
                "expires_at": self.expires_at,
                "qr": qr.as_ref().ok().map(|qr| json!({
                    "version": qr.version(),
                    "modules": qr.modules(),
                    "level": qr.level(),
                })),
                "warnings": value(&warnings),
            })
        })
    }
}

impl FormArguments {
    /// Checks the name and the folder of the file for the QR code, before a link enters the ledger.
    pub(crate) fn check(&self, context: &Context) -> Result<(), Failure> {
        let Some(path) = &self.qr else {
            return Ok(());
        };
        picture_format(path)?;
        let writable = context.require_writable(path);
        writable.map_err(|failure| failure.about("qr"))
    }

    /// Fails if a form is wanted that has no short link in it, because it would be shown nowhere.
    pub(crate) fn require_url(&self) -> Result<(), Failure> {
        match self.shape {
            Shape::Url | Shape::Qr | Shape::Message => Ok(()),
            Shape::Code | Shape::Widget => Err(Failure::usage(
                "A short link is a URL, a QR code or a message. Leave out --short, or --as code and --as widget.",
            )
            .about("short")),
        }
    }

    /// Returns the way in which the link is given out.
    pub(crate) const fn given(&self) -> GivenAs {
        match self.shape {
            // The file is what is given out.
            Shape::Url if self.qr.is_some() => GivenAs::File,
            Shape::Url => GivenAs::Link,
            Shape::Code => GivenAs::Code,
            Shape::Widget => GivenAs::Widget,
            Shape::Qr => GivenAs::QrCode,
            Shape::Message => GivenAs::Message,
        }
    }

    /// Returns whether the link is wanted as a QR code.
    pub(crate) fn has_qr_code(&self) -> bool {
        self.qr.is_some() || self.shape == Shape::Qr
    }
}

#[derive(Clone, Copy, Debug)]
enum Picture {
    Png,
    Svg,
}

fn picture_format(path: &Path) -> Result<Picture, Failure> {
    let extension = path.extension().and_then(|extension| extension.to_str());
    match extension.map(str::to_ascii_lowercase).as_deref() {
        Some("png") => Ok(Picture::Png),
        Some("svg") => Ok(Picture::Svg),
        _ => Err(
            Failure::usage("The name of the QR code's file must end in .png or .svg.").about("qr"),
        ),
    }
}
